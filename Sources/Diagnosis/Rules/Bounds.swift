/// The numbers that rules compare with, and why they are what they are. Shares of losses are shares of the constant prediction's loss.
enum Bounds {
    /// A net begins near the constant prediction; a step's loss three times above both means that steps make it worse.
    static let blowUp = 3.0
    /// Four times: no start of a run that is set well goes so far (the runs looked at stay below 2.5), whatever becomes of it.
    static let leap = 4.0
    /// A net that has taken away half of the constant prediction's loss is not diverging, whatever it went through at first.
    static let stillLost = 0.5
    /// No step has made the loss half as large again.
    static let idle = 1.5
    /// Updates are about a thousandth of the weights when a net learns well (Karpathy, CS231n); a tenth is no small step any more.
    static let hugeUpdate = 0.1
    /// Less than half of that thousandth: slow, where nothing else keeps the gradients small.
    static let tinyUpdate = 4e-4
    /// From here a rule that divides gradients by their size can't move in any number of epochs that somebody would wait for.
    static let hopelessUpdate = 2e-5
    /// Rises of the loss together, over the whole run: smooth runs have less than a tenth of it.
    static let bounce = 0.25
    /// A bouncing loss is the rate's doing only where steps are large.
    static let bouncingUpdate = 5e-3
    /// Steps of a plain rule bounce a little around a good place, too.
    static let bouncingLoss = 0.4
    /// A net's first loss is near the constant prediction's if its weights have a sensible size.
    static let wildStart = 10.0
    /// Gradients are smaller than the weights in any net that trains.
    static let strongPull = 3.0
    static let wildPull = 100.0
    /// Gradient norms of neighbours differ by less than the sizes of their layers; over a whole net by less than a factor of 100.
    static let vanishing = 1e-2
    /// Of the worst line, for nets that crept out of it: only those that are still mostly lost.
    static let vanishingOnce = 1e-3
    static let exploding = 1e3
    /// Dead units are normal up to a half of a wide layer; of a few units one more or less says nothing.
    static let deadShare = 0.5
    static let deadShareOfFew = 0.8
    static let fewUnits = 8
    static let saturatedShare = 0.5
    /// Rates beyond the usual 0.2…0.5 by far (Srivastava et al. 2014, §7.3).
    static let strongDropout = 0.8
    static let someDropout = 0.2
    /// Loss in training mode over the loss of the same net without masks.
    static let maskedLoss = 1.5
    /// Where two units of five and more are dropped, less of a difference is enough: the thinned nets are much smaller ones.
    static let manyDropped = 0.4
    static let maskedLossOfMany = 1.25
    /// The penalty over the data loss, and the pull of decay over the gradient: the net serves the penalty as much as the data.
    static let penalty = 0.5
    static let decayPull = 0.3
    /// ‖w‖ of a unit, which begins near 1.
    static let collapsedRow = 0.1
    static let strongWeightDecay = 0.5
    /// A loss that falls by less over a third of the run has settled.
    static let settled = 0.05
    /// A net that can't tell its classes apart creeps on for long.
    static let creeping = 0.3
    /// Learned something: the constant prediction is beaten clearly.
    static let learned = 0.1
    /// Points of accuracy beyond the noise of the held-out rows.
    static let gap = 0.04
    /// With so little data, a net that learns its rows by heart (three times fewer errors on them) is told so earlier.
    static let gapOfFewRows = 0.01
    static let errorsByHeart = 3.0
    /// With a validation loss that has risen again by a third.
    static let risingGap = 0.025
    static let validationRise = 1.3
    /// Points of R².
    static let gapOfR2 = 0.1
    static let fewRowsPerOutput = 100.0
}
