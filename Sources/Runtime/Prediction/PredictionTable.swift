/// The CSV file that `predict` writes: `row,class,p_<name>…` or `row,value`; rows are counted from 0.
struct PredictionTable {
    private let names: [String]
    private var row = 0

    init(_ answer: SavedModel.Answer) {
        switch answer {
        case .classes(let names):
            self.names = names.map(Self.field)
            header = (["row", "class"] + names.map { Self.field("p_" + $0) }).joined(separator: ",") + "\n"
        case .value:
            names = []
            header = "row,value\n"
        }
    }

    let header: String

    /// The lines of the next rows.
    mutating func lines(_ answers: Predictor.Answers) -> String {
        var text = ""
        if names.isEmpty {
            for value in answers.values {
                text += "\(row),\(Float(value))\n"
                row += 1
            }
        }
        for (index, choice) in answers.choices.enumerated() {
            text += "\(row),\(names[choice])"
            for value in answers.values[index * names.count..<(index + 1) * names.count] { text += ",\(Float(value))" }
            text += "\n"
            row += 1
        }
        return text
    }

    /// Quoted where a reader would take it for more than one field (RFC 4180).
    private static func field(_ text: String) -> String {
        let isPlain = !text.contains { $0 == "," || $0 == "\"" || $0.isNewline } && text.first != " " && text.last != " "
        if isPlain { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
