import Testing

@testable import Runtime

@Suite struct PredictionTableTests {
    @Test func classesHaveAColumnEach() {
        var table = PredictionTable(.classes(["a", "b, or \"c\""]))
        #expect(table.header == "row,class,p_a,\"p_b, or \"\"c\"\"\"\n")
        #expect(table.lines(.init(values: [0.25, 0.75, 1, 0], choices: [1, 0])) == "0,\"b, or \"\"c\"\"\",0.25,0.75\n1,a,1.0,0.0\n")
        #expect(table.lines(.init(values: [0.5, 0.5], choices: [0])) == "2,a,0.5,0.5\n")
    }

    @Test func valuesHaveOne() {
        var table = PredictionTable(.value)
        #expect(table.header + table.lines(.init(values: [1.5, -2e-9], choices: [])) == "row,value\n0,1.5\n1,-2e-09\n")
    }

    @Test func theFirstOfEqualValuesIsTheLargest() {
        #expect(largest([0, 2, 2, 1, 1, 0], width: 3) == [1, 0])
    }
}
