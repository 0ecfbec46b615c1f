// swift-tools-version: 6.1
import PackageDescription

// A package of one's own: what it needs of dnn is three products, and no cluster.
let package = Package(
    name: "digits",
    dependencies: [.package(name: "dnn", path: "../../..")],
    targets: [
        .executableTarget(
            name: "digits",
            dependencies: [
                .product(name: "Datasets", package: "dnn"),
                .product(name: "NeuralNet", package: "dnn"),
                .product(name: "Optimization", package: "dnn"),
            ])
    ]
)
