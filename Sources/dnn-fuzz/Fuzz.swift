import FuzzTargets
import Glibc

/// The entry that libFuzzer calls; which decoder is fuzzed is what DNN_FUZZ_TARGET names. Built by deploy/fuzz only.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}

private let target: FuzzTarget = {
    let name = getenv("DNN_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    if let target = FuzzTarget(rawValue: name) { return target }
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
    fputs("dnn-fuzz: DNN_FUZZ_TARGET=\(name) is no decoder; it must be one of \(names). deploy/fuzz NAME SECONDS sets it\n", stderr)
    exit(2)
}()
