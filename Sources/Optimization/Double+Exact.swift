internal import Kernels

// Functions of doubles from + − × ÷ alone: the same bits everywhere, unlike libm's.
extension Double {
    /// By squaring.
    func power(_ exponent: UInt64) -> Double {
        var result = 1.0
        var square = self
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }

    /// For a base from 0 to 1 and a positive exponent; whole exponents by squaring.
    func power(_ exponent: Double) -> Double {
        if self == 0 { return 0 }
        if let whole = UInt64(exactly: exponent) { return power(whole) }
        return DeterministicMath.exp(exponent * DeterministicMath.log(self))
    }

    /// e^x for x ≤ 0, by Taylor's series of x/2ⁿ and n squarings.
    var exponential: Double {
        guard self > -745 else { return 0 }
        var (argument, halvings) = (self, 0)
        while argument < -0.125 {
            argument /= 2
            halvings += 1
        }
        // The eleventh term of an argument of ⅛ is below half an ulp of 1.
        var sum = 1.0
        for term in (1...11).reversed() { sum = 1 + argument / Double(term) * sum }
        for _ in 0..<halvings { sum *= sum }
        return sum
    }

    /// cos(πx) for x from 0 to 2, by the series of the nearest of sine and cosine.
    var cosineOfHalfTurns: Double {
        let x = self > 1 ? 2 - self : self
        if x > 0.5 { return -(1 - x).cosineOfHalfTurns }
        return x > 0.25 ? Self.series(.pi * (0.5 - x), from: 1) : Self.series(.pi * x, from: 0)
    }

    /// Taylor's series of sine (`first` 1) or cosine (0), for arguments up to π/4: its tenth term is below half an ulp of 1.
    private static func series(_ x: Double, from first: Int) -> Double {
        var sum = 1.0
        for term in (1...9).reversed() {
            let order = Double(2 * term + first)
            sum = 1 - x * x / (order * (order - 1)) * sum
        }
        return first == 1 ? x * sum : sum
    }
}
