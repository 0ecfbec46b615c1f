import Datasets
import RunConfiguration
import Testing

/// Paths inside a run file.
@Suite struct PathTests {
    @Test(arguments: [
        ("a.csv", "/runs/a.csv"), ("../a.csv", "/runs/../a.csv"), ("/a.csv", "/a.csv"), ("${HOME}/a.csv", "/home/ada/a.csv"),
        ("x${HOME}y${HOME}", "/runs/x/home/aday/home/ada"), ("$HOME/a", "/runs/$HOME/a"), ("a$", "/runs/a$"), ("a}b", "/runs/a}b"),
    ])
    func pathsAreExpandedAndJoinedToTheFolder(written: String, path: String) throws {
        let configuration = try RunFile("data: {train: {csv: {path: '\(written)', target: 0}}}").load()
        #expect(configuration.data.train == .csv(CSVSpecification(path: path, target: .index(0))))
    }

    @Test(arguments: [
        ("${NOPE}/a", "the environment variable NOPE is not set"), ("${HOME", "${ has no closing }"),
        ("${}", "${} is not the name of an environment variable: letters, digits and _"),
        ("${1A}", "${1A} is not the name of an environment variable: letters, digits and _"),
        ("${A-b}", "${A-b} is not the name of an environment variable: letters, digits and _"),
        ("${NESTED}", "the environment variable NESTED itself contains ${"), ("~/a", "~ is not expanded; write ${HOME}"),
        ("", #"must be a path, got the text """#),
    ])
    func pathsThatCannotBeExpandedAreProblems(written: String, problem: String) {
        let found = problems(in: RunFile("data: {train: {csv: {path: '\(written)', target: 0}}}").text)
        #expect(found == ["run.yaml:6:28: data.train.csv.path: \(problem)"])
    }

    @Test(arguments: [("a.csv", ","), ("a.tsv", "\t"), ("A.TSV.gz", "\t"), ("a.tsv.csv", ",")])
    func tabsSeparateColumnsOfTSVFilesUnlessSaidOtherwise(path: String, delimiter: Character) throws {
        let data = { (more: String) in "data: {train: {csv: {path: \(path), target: 0\(more)}}}" }
        let found = try [RunFile(data("")).load(), RunFile(data(", delimiter: ';'")).load()].map { configuration -> Character? in
            if case .csv(let csv) = configuration.data.train { csv.delimiter } else { nil }
        }
        #expect(found == [delimiter, ";"])
    }
}
