import Exactness
import Kernels
import Synchronization

/// Instruction sets that this machine can run: all of them must give the same bits.
let runnableSets = InstructionSet.allCases.filter { $0 <= .supported }

/// Numbers in −1…1 that depend on `seed` alone.
func numbers(_ count: Int, seed: UInt64, spread: Float = 1) -> [Float] {
    let stream = RandomStream(seed: seed, purpose: .probe)
    return (0..<count).map { spread * (Float(stream.words($0).x) * 0x1p-31 - 1) }
}

/// A block that lives as long as the tests, so that views of it may be passed around.
func zeros(_ count: Int) -> FloatBlock {
    let block = FloatBlock(count: count)
    kept.withLock { $0.append(block) }
    return block
}

private let kept = Mutex<[FloatBlock]>([])

func block(_ values: [Float]) -> FloatBlock {
    let block = zeros(values.count)
    for (index, value) in values.enumerated() { block.mutableView[index] = value }
    return block
}

func values(_ view: FloatView) -> [Float] { (0..<view.count).map { view[$0] } }
func values(_ block: FloatBlock) -> [Float] { values(block.view) }
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
func bits(_ block: FloatBlock) -> [UInt32] { bits(values(block)) }

/// Distance in units of the last place of `exact` as a Float.
func ulps(_ value: Float, from exact: Double) -> Double {
    abs(Double(value) - exact) / Double(max(Float(abs(exact)), 0x1p-100).ulp)
}
