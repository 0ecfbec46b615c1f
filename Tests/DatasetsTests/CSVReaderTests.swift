import Testing

@testable import Datasets

@Suite struct CSVReaderTests {
    private func read(
        _ text: String, target: ColumnReference = .name("y"), delimiter: Character = ",", header: Bool = true,
        categorical: [ColumnReference] = [], task: LearningTask = .classification, encoding: TableEncoding? = nil
    ) throws -> (table: Table, encoding: TableEncoding) {
        let specification = CSVSpecification(
            path: "f", target: target, delimiter: delimiter, header: header, categorical: categorical)
        return try CSVReader.table(Array(text.utf8), specification: specification, task: task, encoding: encoding)
    }

    /// The same three rows in every spelling.
    private static let spellings: [(String, Character)] = [
        ("a,b,y\n1,2,u\n3,4,v\n5,6,u\n", ","),
        ("a,b,y\n1,2,u\n3,4,v\n5,6,u", ","),
        ("a,b,y\r\n1,2,u\r\n3,4,v\r\n5,6,u\r\n", ","),
        ("a,b,y\r1,2,u\r3,4,v\r5,6,u\r", ","),
        ("a\tb\ty\n1\t2\tu\n3\t4\tv\n5\t6\tu\n", "\t"),
        ("a b y\n1 2 u\n3 4 v\n5 6 u\n", " "),
        ("a;b;y\n1;2;u\n3;4;v\n5;6;u\n\n \r\n\n", ";"),
        ("\u{FEFF}a, b , y\n 1,2 ,u\n3,\t4, v\n5,6,u", ","),
        ("\"a\",\"b\",\"y\"\n\"1\",2,\"u\"\n3,\"4\" ,v\n5,6,u", ","),
    ]

    @Test(arguments: spellings)
    func spellingsMeanTheSame(text: String, delimiter: Character) throws {
        let (table, encoding) = try read(text, delimiter: delimiter)
        #expect(table.features == .f32([1, 2, 3, 4, 5, 6]))
        #expect(table.targets == .classes([0, 1, 0], names: ["u", "v"]))
        #expect(table.rowShape == [2])
        #expect(encoding.featureNames == ["a", "b"])
    }

    @Test func quotedFieldsMayHoldAnything() throws {
        let (table, _) = try read("x,y\n1,\"a,b\"\n2,\"say \"\"hi\"\"\"\n3,\"two\nlines\"\n4,\" x \"\n5,\"\"\"\"\n")
        guard case .classes(let classes, let names) = table.targets else {
            Issue.record("no classes")
            return
        }
        #expect(classes.map { names[Int($0)] } == ["a,b", "say \"hi\"", "two\nlines", " x ", "\""])
    }

    @Test(arguments: [
        (["10", "9", "-1", "9"], ["-1", "9", "10"]),
        (["1.5", "1e0", "1"], ["1", "1e0", "1.5"]),
        (["b", "B", "10", "9", "é"], ["10", "9", "B", "b", "é"]),
        (["yes", "no", "yes"], ["no", "yes"]),
        (["nan", "1"], ["1", "nan"]),
    ])
    func classesAreInNumericOrderOrElseSorted(labels: [String], names: [String]) throws {
        let (table, encoding) = try read("x,y\n" + labels.map { "0,\($0)" }.joined(separator: "\n"))
        #expect(table.targets == .classes(labels.map { label in Int32(names.firstIndex(of: label) ?? -1) }, names: names))
        #expect(encoding.classNames == names)
    }

    @Test func targetMayBeAnyColumnByNumber() throws {
        let (table, encoding) = try read("1,k,2\n3,l,4\n", target: .index(1), header: false)
        #expect(table.features == .f32([1, 2, 3, 4]))
        #expect(table.targets == .classes([0, 1], names: ["k", "l"]))
        #expect(encoding.columns == [.init(name: nil), .init(name: nil)])
    }

    @Test func regressionReadsTheTargetAsANumber() throws {
        #expect(try read("x,y\n1,-2.5\n2,1e3\n", task: .regression).table.targets == .values([-2.5, 1000]))
    }

    @Test func categoriesBecomeOneHotInTheirColumnsPlace() throws {
        let (table, encoding) = try read(
            "size,n,y,colour\n10,0.5,u,red\n9,1.5,v,blue\n10,2.5,u,green\n", categorical: [.name("colour"), .index(0)])
        #expect(
            table.features
                == .f32([
                    0, 1, 0.5, 0, 0, 1,
                    1, 0, 1.5, 1, 0, 0,
                    0, 1, 2.5, 0, 1, 0,
                ]))
        #expect(encoding.featureNames == ["size=9", "size=10", "n", "colour=blue", "colour=green", "colour=red"])
        #expect(table.rowShape == [6])
    }

    @Test func anotherSourceTakesClassesAndCategoriesOfTraining() throws {
        let training = try read("c,x,y\na,1,u\nb,2,v\nc,3,w\n", categorical: [.name("c")])
        let (table, encoding) = try read("c,x,y\nc,5,w\na,6,v\n", categorical: [.name("c")], encoding: training.encoding)
        #expect(table.features == .f32([0, 0, 1, 5, 1, 0, 0, 6]))
        #expect(table.targets == .classes([2, 1], names: ["u", "v", "w"]))
        #expect(encoding == training.encoding)
    }
}
