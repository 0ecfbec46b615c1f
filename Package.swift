// swift-tools-version: 6.1
import PackageDescription

/// The settings of every Swift target: Swift 6 language mode comes with the tools version.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies, resources: resources,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "dnn",
    products: [
        .executable(name: "dnn-coord", targets: ["dnn-coord"]),
        .executable(name: "dnn-worker", targets: ["dnn-worker"]),
        .library(name: "NeuralNet", targets: ["NeuralNet"]),
        .library(name: "Optimization", targets: ["Optimization"]),
        .library(name: "Datasets", targets: ["Datasets"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),  // command lines
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),  // the worker's and the server's log
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),  // run files, with line and column
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),

        // Our own C: numeric kernels, and what the Linux headers keep from Swift.
        .target(name: "CKernels"),
        .target(name: "CLinux"),

        // Leaves.
        library("Exactness"),
        library("ZeroMQ", ["CZeroMQ"]),
        library("OperatingSystem", ["CLinux"]),
        library("Hashing", ["CCrypto", "CXXHash"]),
        library("Kernels", ["CKernels", "COneDNN", "Exactness"]),
        library("Wire"),

        // The net, its training rules, its data.
        library("NeuralNet", ["Kernels", "Exactness", "Hashing"]),
        library("Optimization", ["Kernels", "Exactness", "NeuralNet"]),
        library("Datasets", ["CZlib", "Exactness", "Hashing"], resources: [.copy("Resources/digits.csv.gz")]),
        library("Checkpoints", ["Hashing"]),
        library("Training", ["Exactness", "Wire"]),
        library("ParameterServer", ["Kernels", "Exactness", "NeuralNet", "Optimization", "OperatingSystem"]),
        library("RunConfiguration", [yams, "Exactness", "NeuralNet", "Optimization", "Datasets", "Training"]),

        library("Diagnosis", [yams]),
        library("Scaling"),

        // The shells and the programs.
        library(
            "Runtime",
            [
                "ZeroMQ", "OperatingSystem", "Hashing", "Exactness", "Kernels", "Wire", "NeuralNet", "Optimization", "Datasets",
                "Checkpoints", "Training", "ParameterServer", "RunConfiguration", "Diagnosis", "Scaling", logging,
            ]),
        library("ProgramEntry", [argumentParser]),
        library("FuzzTargets", ["Checkpoints", "Datasets", "Exactness", "OperatingSystem", "RunConfiguration", "Wire"]),
        program("dnn-coord", ["Runtime", "ProgramEntry", argumentParser]),
        program("dnn-worker", ["Runtime", "ProgramEntry", argumentParser]),
        program("dnn-bench", ["Runtime", "ProgramEntry", argumentParser]),

        // Tests: one target each, and the real programs.
        tests(of: "Exactness"),
        tests(of: "ZeroMQ", ["OperatingSystem"]),
        tests(of: "OperatingSystem"),
        tests(of: "Hashing"),
        tests(of: "Kernels", ["Exactness"]),
        tests(of: "Wire", ["Exactness"], resources: [.copy("Fixtures")]),
        tests(of: "NeuralNet", ["Exactness", "Kernels"], resources: [.copy("Fixtures")]),
        tests(of: "Optimization", ["Exactness", "Kernels", "NeuralNet"], resources: [.copy("Fixtures")]),
        tests(of: "Datasets", ["Exactness", "Hashing"], resources: [.copy("Fixtures")]),
        tests(of: "Checkpoints", ["Hashing"], resources: [.copy("Fixtures")]),
        tests(of: "Training", ["Exactness", "Wire"]),
        tests(of: "ParameterServer", ["Kernels", "Exactness", "NeuralNet", "Optimization", "OperatingSystem"]),
        tests(of: "RunConfiguration", ["Exactness", "NeuralNet", "Optimization", "Datasets", "Training"], resources: [.copy("Fixtures")]),
        tests(of: "Diagnosis", ["RunConfiguration"]),
        tests(of: "Scaling"),
        tests(
            of: "Runtime",
            [
                "OperatingSystem", "Exactness", "Kernels", "ZeroMQ", "Datasets", "NeuralNet", "Wire", "Hashing", "Checkpoints", "Training",
                "RunConfiguration", "Optimization",
            ]),
        tests(of: "FuzzTargets", ["Wire"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "OperatingSystem", "NeuralNet", "Optimization", "Datasets", "Hashing", "Wire", "ZeroMQ", "dnn-coord", "dnn-worker",
            ],
            swiftSettings: swiftSettings),
    ]
)

// Built by deploy/fuzz only: its entry is libFuzzer's.
if Context.environment["DNN_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "dnn-fuzz", dependencies: ["FuzzTargets"],
            swiftSettings: swiftSettings + [.unsafeFlags(["-parse-as-library"])]))
}
