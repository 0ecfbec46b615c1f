import Foundation
import Testing

@testable import Datasets

@Suite struct SourceSpecificationTests {
    @Test(arguments: [",", "\t", ";"] as [Character])
    func csvSurvivesARoundTrip(delimiter: Character) throws {
        let specification = CSVSpecification(
            path: "f", target: .index(3), delimiter: delimiter, header: false, categorical: [.name("a"), .index(1)])
        let decoded = try JSONDecoder().decode(CSVSpecification.self, from: JSONEncoder().encode(specification))
        #expect(decoded == specification)
    }

    @Test(arguments: ["", ",,"])
    func aDelimiterIsOneCharacter(delimiter: String) throws {
        let encoded = try JSONEncoder().encode(CSVSpecification(path: "f", target: .index(0), delimiter: "#"))
        let changed = String(decoding: encoded, as: UTF8.self).replacingOccurrences(of: "#", with: delimiter)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(CSVSpecification.self, from: Data(changed.utf8)) }
    }
}
