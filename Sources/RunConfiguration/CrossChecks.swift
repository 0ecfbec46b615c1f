internal import Datasets
internal import NeuralNet
internal import Optimization
internal import Training

/// The rules between values that are each fine for themselves. A rule is silent where one of its values could not be read.
struct CrossChecks {
    let diagnostics: Diagnostics
    let data: DataReading?
    let model: ModelReading?
    let optimizer: OptimizerSettings?
    let penalties: OptimizerSettings.Penalties?
    let training: TrainingSettings?
    let cluster: ClusterSettings?

    func run() {
        if let data {
            checkHeldOutShares(data)
            checkTask(data)
        }
        if let optimizer { checkOptimizer(optimizer) }
        if let training { checkBatch(training) }
        if let data, let training { checkEarlyStopping(data, training) }
        if let cluster, let training {
            checkWorkers(cluster, training)
            checkPrecision(cluster, training)
        }
    }

    private func report(_ path: SettingPath, beside others: [SettingPath], _ text: String) {
        if ([path] + others).contains(where: diagnostics.hasProblem(atOrAbove:)) { return }
        diagnostics.report(at: path, text)
    }

    private func checkHeldOutShares(_ data: DataReading) {
        guard case .fraction(let test) = data.test, case .fraction(let validation) = data.validation, test + validation >= 1 else { return }
        let shares = "test \(Scalar.decimal(test)) and validation \(Scalar.decimal(validation))"
        report("data.test", beside: ["data.validation"], "\(shares) leave nothing to train on; together they must be < 1")
    }

    private func checkTask(_ data: DataReading) {
        if let loss = model?.loss, loss.isRegression != (data.task == .regression) {
            let allowed =
                switch data.task {
                case .classification: ["softmax_cross_entropy", "binary_cross_entropy"]
                case .regression: ["mean_squared_error", "mean_absolute_error", "huber"]
                }
            let names = allowed.joined(separator: " or ")
            report(
                "model.loss", beside: ["data.task"], "\(loss.keyword) does not go with task \(data.task.rawValue), which needs \(names)")
        }
        if data.targetStandardize && data.task != .regression {
            report("data.target_standardize", beside: ["data.task"], "only goes with task regression, and task is \(data.task.rawValue)")
        }
    }

    private func checkOptimizer(_ optimizer: OptimizerSettings) {
        if case .adamw = optimizer.rule, let penalties, penalties.l2 != 0 {
            report("regularization.l2", beside: ["optimizer.rule"], ParameterGroup.decayBesideAdamW)
        }
        if optimizer.schedule.countsValidations, data?.validation == .some(.none) {
            report(
                "optimizer.schedule", beside: ["data.validation"],
                "reduce_on_plateau needs validation rows, but data.validation is none")
        }
    }

    private func checkBatch(_ training: TrainingSettings) {
        let (batch, shards) = (training.batchSize, training.virtualShards)
        if batch.isMultiple(of: shards) { return }
        let below = batch / shards * shards
        let above = below + shards
        let nearest = below == 0 ? "the nearest batch size is \(above)" : "the nearest batch sizes are \(below) and \(above)"
        report(
            "training.virtual_shards", beside: ["training.batch_size"],
            "must divide batch_size, but \(shards) does not divide \(batch); \(nearest)")
    }

    private func checkEarlyStopping(_ data: DataReading, _ training: TrainingSettings) {
        guard let policy = training.earlyStopping else { return }
        if data.validation == .some(.none) {
            report("training.early_stopping", beside: ["data.validation"], "needs validation rows, but data.validation is none")
        }
        if policy.monitor == .validationAccuracy && data.task == .regression {
            report(
                "training.early_stopping.monitor", beside: ["data.task"], "task regression has no accuracy; it can monitor validation_loss")
        }
    }

    private func checkPrecision(_ cluster: ClusterSettings, _ training: TrainingSettings) {
        guard training.precision == .bf16, cluster.instructionSet == .avx2 else { return }
        report(
            "training.precision", beside: ["cluster.instruction_set"],
            "bf16 needs products that instruction_set avx2 does not have; leave instruction_set at auto, or take precision f32")
    }

    private func checkWorkers(_ cluster: ClusterSettings, _ training: TrainingSettings) {
        guard cluster.minimumWorkers > training.virtualShards else { return }
        report(
            "cluster.minimum_workers", beside: ["training.virtual_shards", "training.batch_size"],
            "must be at most virtual_shards (\(training.virtualShards)): no more workers can share a step, got \(cluster.minimumWorkers)")
    }
}
