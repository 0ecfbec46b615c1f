import Testing

@testable import Datasets

@Suite struct PredictionFileTests {
    private static let plain = TableEncoding(columns: nil, classNames: ["a", "b"])

    /// What training on `age,colour,y` leaves in a model.
    private static func trained(_ text: String = "age,colour,y\n1,red,u\n2,blue,v\n", header: Bool = true) throws -> TableEncoding {
        let specification = CSVSpecification(
            path: "f", target: header ? .name("y") : .index(2), header: header, categorical: [header ? .name("colour") : .index(1)])
        return try CSVReader.table(Array(text.utf8), specification: specification, task: .classification).encoding
    }

    private func rows(_ text: String, _ encoding: TableEncoding, count: Int = 3, name: String = "f.csv") throws -> FeatureRows {
        try PredictionFile(Array(text.utf8), name: name).rows(encoding: encoding, featureCount: count)
    }

    @Test(
        arguments: [
            ("npy/features-u1.npy", "x", .npy), ("images.idx.gz", "x", .idx), ("cifar10/batch.bin", "x", .cifar10),
            ("libsvm/from-one.libsvm", "x", .libsvm), ("libsvm/from-zero.libsvm", "x.csv", .csv),
            ("libsvm/from-zero.libsvm", "x.svmlight.gz", .libsvm),
        ] as [(String, String, PredictionFile.Format)])
    func formatsAreRecognisedByContentThenByName(file: String, name: String, format: PredictionFile.Format) throws {
        var files = SourceFiles(folder: try fixturesFolder())
        #expect(try PredictionFile(files.contents(of: file), name: name).format == format)
    }

    @Test func unknownFormatsNameTheOption() {
        #expect(throws: DatasetError.unknownFormat(path: "x")) { try PredictionFile([1, 2, 0, 3], name: "x") }
        #expect("\(DatasetError.unknownFormat(path: "x"))".contains("--format csv, idx, npy, cifar10, libsvm"))
    }

    @Test func featuresAloneAreRead() throws {
        let path = try fixturesFolder() + "/npy/features-i4.npy"
        let rows = try PredictionFile(path: path).rows(encoding: Self.plain, featureCount: 6)
        #expect(rows.rowCount == 5)
        #expect(rows.features == .f32((0..<30).map { Float(7 * $0 - 20) }))
        #expect(throws: DatasetError.inputWidth(path: path, width: 6, expected: 8)) {
            try PredictionFile(path: path).rows(encoding: Self.plain, featureCount: 8)
        }
    }

    @Test(
        arguments: [
            "age,colour,y\n7,red,v\n8,blue,u\n", "age,colour\n7,red\n8,blue\n", "colour;age\nred;7\nblue;8\n",
            "y\tcolour\tage\n?\tred\t7\n?\tblue\t8\n",
        ])
    func columnsAreFoundByNameWithOrWithoutTheTarget(text: String) throws {
        #expect(try rows(text, Self.trained()).features == .f32([7, 0, 1, 8, 1, 0]))
    }

    @Test(arguments: ["7,red,v\n8,blue,u\n", "7,red\n8,blue\n"])
    func withoutNamesThePlaceCounts(text: String) throws {
        #expect(try rows(text, Self.trained("1,red,u\n2,blue,v\n", header: false)).features == .f32([7, 0, 1, 8, 1, 0]))
    }

    @Test(arguments: ["1,2,3\n4,5,6\n", "a,b,c\n1,2,3\n4,5,6\n"])
    func netsTrainedOnOtherFormatsTakeNumbersInOrder(text: String) throws {
        #expect(try rows(text, Self.plain).features == .f32([1, 2, 3, 4, 5, 6]))
    }

    @Test(
        arguments: [
            ("agee,colour\n1,red\n", "the model knows no column “agee”; did you mean “age”?; the first line must name its columns"),
            ("age\n1\n", "f.csv:1: the model's column “colour” is missing"),
            ("age,colour,age\n1,red,2\n", "f.csv:1: columns 0 and 2 (counted from 0) are both named “age”"),
            ("age,colour\n1,green\n", "f.csv:2: column “colour”: the category “green” does not occur"),
            ("age,colour\nx,red\n", "f.csv:2: column “age”: “x” is not a number"),
            ("age,colour\n1,red,3\n", "f.csv:2: has 3 fields where the first line has 2"),
            ("age,colour\n", "f.csv: has no rows of data"),
        ])
    func faultyTablesAreRefused(text: String, message: String) throws {
        let encoding = try Self.trained()
        let error = #expect(throws: DatasetError.self) { try rows(text, encoding) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func otherNumbersOfColumnsNameBoth() throws {
        let error = #expect(throws: DatasetError.self) { try rows("1,2,3,4\n", Self.plain) }
        #expect(error?.description == "f.csv:1: has 4 columns, the model takes 3")
        let unnamed = try Self.trained("1,red,u\n2,blue,v\n", header: false)
        let other = #expect(throws: DatasetError.self) { try rows("1\n", unnamed) }
        #expect(
            other?.description == "f.csv:1: has 1 column, the model takes 2, or 3 with its target as column 2 (counted from 0)")
    }
}
