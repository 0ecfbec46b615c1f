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
    guard let target = FuzzTarget(rawValue: name) else { fatalError("DNN_FUZZ_TARGET=\(name): no such target") }
    return target
}()
