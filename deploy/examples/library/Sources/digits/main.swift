import Datasets
import NeuralNet
import Optimization

let data = try PreparedData(
    DataSpecification(train: .builtin(.digits), test: .fraction(0.2), preprocessing: .scale(low: 0, high: 16)))
let model = try Model(
    inputShape: data.inputShape,
    layers: [.flatten, .dense(units: 128), .relu, .dropout(rate: 0.2), .dense(units: 10)],
    loss: .softmaxCrossEntropy)
let optimizer = try Optimizer(.adam(learningRate: 2e-3), for: model)

let train = try data.batches(.train, size: 64)
for epoch in 0..<20 {
    for batch in train.epoch(epoch) {
        optimizer.zeroGradient()
        try model.forward(batch.features, .training(step: optimizer.stepCount), samples: batch.samples)
        let loss = try model.loss(classes: batch.classes)
        try model.backward()
        try optimizer.step()
        if optimizer.stepCount % 100 == 0 { print("step", optimizer.stepCount, "loss", loss) }
    }
}

var right = 0, rows = 0
for batch in try data.batches(.test, size: 256).inOrder {
    right += zip(try model.predictedClasses(batch.features), batch.classes).count { $0 == $1 }
    rows += batch.count
}
print("test accuracy", Double(right) / Double(rows))
print("weights_sha256", model.weightsSHA256)
