import Foundation
import Testing

@testable import Plannt

private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../conformance/vectors")

@Test func everySuiteIsRun() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
    #expect(Set(files) == Set(suites.keys.map { "\($0).json" }))
}

@Test(arguments: suites.keys.sorted()) func vectors(suite: String) throws {
    let document = try JSONDecoder().decode(Json.self, from: Data(contentsOf: folder.appendingPathComponent("\(suite).json")))
    let cases = try document.list("groups").flatMap { try $0.list("tests") }
    #expect(UInt64(cases.count) == document["number_of_tests"].number)
    let answer = try #require(suites[suite])
    var right = 0
    for one in cases {
        let id = try one.text("id")
        let wrong = try judge(one, answer)
        #expect(wrong == nil, "\(id)")
        right += wrong == nil ? 1 : 0
    }
    print("vectors \(suite): \(right) of \(cases.count)")
}

/// What is wrong with an answer; nil where it is right.
private func judge(_ one: Json, _ answer: (Json) throws -> Json) throws -> String? {
    let result = try one.text("result")
    let output: Json
    do {
        output = try answer(one["input"])
    } catch {
        let code: String
        switch error {
        case let error as any PlanntError: code = error.code
        case let error as Refused: code = error.code
        default: return "\(error)"
        }
        guard ["invalid", "acceptable"].contains(result) else { return "refused: \(code)" }
        return one["error"].isNull || one["error"] == .string(code) ? nil : "\(code), not \(one["error"])"
    }
    guard ["valid", "acceptable"].contains(result) else { return "taken: \(output)" }
    return one["output"].isNull || one["output"] == output ? nil : "\(output), not \(one["output"])"
}
