import JSON
import Testing

@testable import Shared

@Suite("Templates")
struct TemplateTests {
    static let scope = TemplateScope(
        runID: "run_1",
        input: ["name": "Ana", "n": 3, "list": [["k": true]], "empty": nil, "dollar": "$", "tail": "{{ secrets.T }}"],
        outputs: [
            id("a"): [
                "stdout": "hi", "items": [["name": "x"], ["name": "y"]], "evil": "${{ secrets.T }}", "7": "seven",
            ]
        ])

    private func resolved(_ value: JSONValue, secrets: Template.SecretHandling = .resolve) throws -> JSONValue {
        try Template.resolve(value, secrets: secrets) { reference in
            if case .secret(let name) = reference { return .string("<\(name)>") }
            return try Self.scope.value(of: reference)
        }
    }

    @Test(
        "A template that is the whole value keeps its JSON type, and is text inside a string",
        arguments: [
            ("${{ run.input.n }}", 3),
            ("${{run.input.n}}", 3),
            ("${{\t run.input.n\n}}", 3),
            (" ${{ run.input.n }}", " 3"),
            ("${{ run.id }}", "run_1"),
            ("${{ run.input.list }}", [["k": true]]),
            ("${{ run.input.list.0.k }}", true),
            ("${{ run.input.empty }}", nil),
            ("${{ steps.a.output.items.1.name }}", "y"),
            ("${{ steps.a.output.7 }}", "seven"),
            ("x=${{ run.input.name }}${{ run.input.n }}!", "x=Ana3!"),
            ("${{ run.input.list }} ${{ run.input.empty }}", "[{\"k\":true}] null"),
            ("t ${{ secrets.T }}", "t <T>"),
            ("plain $ {{ }} text", "plain $ {{ }} text"),
            ("$HOME ${X} $$", "$HOME ${X} $$"),
            ("$${{ run.id }}", "${{ run.id }}"),
            ("$$${{ run.id }}", "$run_1"),
            ("$$$${{ run.id }}", "$${{ run.id }}"),
            ("{\u{301}${{ run.id }}}", "{\u{301}run_1}"),
            ("$${{ ${{ run.id }}", "${{ run_1"),
        ] as [(String, JSONValue)])
    func resolving(source: String, expected: JSONValue) throws {
        #expect(try resolved(.string(source)) == expected)
    }

    @Test("Templates are resolved deep inside values, and never in member names")
    func deep() throws {
        let value: JSONValue = ["a": ["${{ run.input.n }}", 1, nil], "${{ run.id }}": ["b": "${{ run.id }}"]]
        #expect(try resolved(value) == ["a": [3, 1, nil], "${{ run.id }}": ["b": "run_1"]])
    }

    @Test(
        "A path without a value is an error that names it",
        arguments: [
            "run.input.none", "run.input.name.x", "run.input.list.1", "run.input.list.k", "run.input.list.-1",
            "steps.a.output.items.2", "steps.b.output.x",
        ])
    func missing(path: String) throws {
        let error = #expect(throws: TemplateError.self) { try resolved(.string("${{ \(path) }}")) }
        #expect(error?.detail.contains(path) == true)
    }

    @Test("Secrets can be left in place, and are put in by a second pass")
    func secondPass() throws {
        let first = try resolved(["h": "Bearer ${{secrets.T}} ${{ run.id }}", "w": "${{ secrets.T }}"], secrets: .keep)
        #expect(first == ["h": "Bearer ${{ secrets.T }} run_1", "w": "${{ secrets.T }}"])
        let second = try Template.resolveSecrets(in: first) { "<\($0)>" }
        #expect(second == ["h": "Bearer <T> run_1", "w": "<T>"])
    }

    @Test(
        "Text from outside that looks like a template stays text through both passes",
        arguments: [
            ("${{ steps.a.output.evil }}", "${{ secrets.T }}"),
            ("x ${{ steps.a.output.evil }}", "x ${{ secrets.T }}"),
            ("${{ run.input.dollar }}${{ run.input.tail }}", "${{ secrets.T }}"),
            ("${{ run.input.dollar }}{{ secrets.T }}", "${{ secrets.T }}"),
            ("${{ run.input.dollar }}${{ steps.a.output.evil }}", "$${{ secrets.T }}"),
            ("${{ run.input.dollar }}${{ secrets.T }}", "$<T>"),
            ("$${{ secrets.T }}", "${{ secrets.T }}"),
            ("$$${{ secrets.T }}", "$<T>"),
            ("${{ secrets.T }}${{ run.input.tail }}", "<T>{{ secrets.T }}"),
        ])
    func injection(source: String, expected: String) throws {
        let first = try resolved(.string(source), secrets: .keep)
        #expect(try Template.resolveSecrets(in: first) { "<\($0)>" } == .string(expected))
    }

    @Test("A whole output with templates in it comes through both passes as it is")
    func wholeOutput() throws {
        let first = try resolved("${{ steps.a.output }}", secrets: .keep)
        #expect(try Template.resolveSecrets(in: first) { "<\($0)>" } == Self.scope.outputs[id("a")])
    }

    @Test("Random texts from outside come through both passes as they are")
    func randomInjection() throws {
        var random = SeededGenerator(seed: 7)
        let pieces = ["$", "{", "}", "{{", "}}", "${{ secrets.T }}", "a", " "]
        for _ in 0..<2000 {
            func text() -> String {
                (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
            }
            let (one, two) = (text(), text())
            let scope = TemplateScope(runID: "r", input: ["one": .string(one), "two": .string(two)])
            let first = try Template.resolve(
                [
                    "${{ run.input.one }}",
                    "${{ run.input.one }}${{ run.input.two }}${{ secrets.S }}${{ run.input.one }}",
                ],
                secrets: .keep, with: scope.value)
            let second = try Template.resolveSecrets(in: first) { name in
                #expect(name == "S")
                return "!"
            }
            #expect(second == [.string(one), .string(one + two + "!" + one)])
        }
    }

    @Test("The second pass refuses what is no secret")
    func secondPassRefusals() {
        #expect(throws: TemplateError.self) { try Template.resolveSecrets(in: "${{ run.id }}") { _ in "" } }
    }

    @Test("A scope gives no secrets")
    func noSecrets() {
        #expect(throws: TemplateError.self) { try Self.scope.value(of: .secret("T")) }
    }

    @Test("References are listed in their order")
    func references() throws {
        let found = Template.references(in: ["${{ run.id }} ${{ secrets.T }}", ["x": "${{ steps.a.output.b.0 }}"]])
        #expect(found == [.runID, .secret("T"), .step(id("a"), path: ["b", "0"])])
        #expect(found.map(\.description) == ["run.id", "secrets.T", "steps.a.output.b.0"])
    }
}
