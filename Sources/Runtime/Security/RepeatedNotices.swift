/// Lines about strangers, who can knock as often as they like: the first of a kind is said at once, the others are counted.
struct RepeatedNotices {
    /// Between two lines of one kind.
    static let interval = Duration.seconds(10)
    /// Kinds that are kept; strangers could make up as many as they like.
    static let mostKinds = 64

    private var kinds: [String: (said: Duration, unsaid: Int)] = [:]

    /// What to say now: nothing, the line, or the line with the number of those before it that were not said.
    mutating func note(_ text: String, now: Duration) -> String? {
        guard let known = kinds[text] else {
            if kinds.count >= Self.mostKinds { kinds = kinds.filter { now - $0.value.said < Self.interval } }
            guard kinds.count < Self.mostKinds else { return nil }
            kinds[text] = (now, 0)
            return text
        }
        guard now - known.said >= Self.interval else {
            kinds[text]?.unsaid += 1
            return nil
        }
        kinds[text] = (now, 0)
        return known.unsaid == 0 ? text : "\(text) (\(known.unsaid) more times before)"
    }
}
