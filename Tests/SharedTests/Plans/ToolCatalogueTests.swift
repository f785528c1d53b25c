import JSON
import Testing

@testable import Shared

@Suite("Tool catalogue")
struct ToolCatalogueTests {
    @Test("The catalogue has one line for each tool, and says which the engine executes")
    func lines() {
        #expect(ToolCatalogue.entries.map(\.tool) == Tool.allCases)
        #expect(
            ToolCatalogue.entries.filter(\.isExecuted).map(\.tool.rawValue)
                == ["approval", "file.list", "file.read", "file.write", "http", "message", "shell", "sleep"])
    }

    @Test(
        "Action and default effect follow from tool and arguments",
        arguments: [
            ("shell", #"{"argv": ["x"]}"#, "shell.exec", "once"),
            ("shell", #"{"argv": ["x"], "network": false}"#, "shell.exec", "once"),
            ("shell", #"{"argv": ["x"], "network": true}"#, "external.write", "once"),
            ("shell", #"{"argv": ["x"], "network": "${{ run.input.n }}"}"#, "external.write", "once"),
            ("file.read", #"{"path": "a"}"#, "data.read", "none"),
            ("file.list", "{}", "data.read", "none"),
            ("file.write", #"{"path": "a", "text": ""}"#, "data.write", "idempotent"),
            ("http", #"{"method": "GET"}"#, "external.read", "none"),
            ("http", #"{"method": "HEAD"}"#, "external.read", "none"),
            ("http", #"{"method": "PUT"}"#, "external.write", "idempotent"),
            ("http", #"{"method": "DELETE"}"#, "external.write", "idempotent"),
            ("http", #"{"method": "POST"}"#, "external.write", "once"),
            ("http", #"{"method": "PATCH"}"#, "external.write", "once"),
            ("http", #"{"method": "get"}"#, "external.write", "once"),
            ("http", #"{"method": "${{ run.input.m }}"}"#, "external.write", "once"),
            ("http", "{}", "external.write", "once"),
            ("message", #"{"content_md": "x"}"#, "internal.write", "idempotent"),
            ("sleep", #"{"duration_ms": 1}"#, "internal.wait", "none"),
            ("approval", #"{"title": "x"}"#, "approval.request", "none"),
        ])
    func rules(name: String, text: String, action: String, effect: String) throws {
        let tool = try #require(Tool(rawValue: name))
        let arguments = try JSON.parse(text)
        #expect(ToolCatalogue.action(tool: tool, arguments: arguments).rawValue == action)
        #expect(try ToolCatalogue.effect(tool: tool, arguments: arguments, declared: nil).rawValue == effect)
    }

    @Test(
        "A declared effect may be stricter, and less strict only for a shell without network",
        arguments: [
            (#"{"argv": ["x"]}"#, "shell", [true, true, true]),
            (#"{"argv": ["x"], "network": true}"#, "shell", [false, false, true]),
            (#"{"path": "a"}"#, "file.read", [true, true, true]),
            (#"{"path": "a"}"#, "file.list", [true, true, true]),
            (#"{"path": "a", "text": ""}"#, "file.write", [false, true, true]),
            (#"{"method": "GET"}"#, "http", [true, true, true]),
            (#"{"method": "PUT"}"#, "http", [false, true, true]),
            (#"{"method": "POST"}"#, "http", [false, false, true]),
            (#"{"duration_ms": 1}"#, "sleep", [true, true, true]),
            (#"{"title": "x"}"#, "approval", [true, true, true]),
        ])
    func declared(text: String, name: String, allowed: [Bool]) throws {
        let tool = try #require(Tool(rawValue: name))
        let arguments = try JSON.parse(text)
        for (effect, isAllowed) in zip(Effect.allCases, allowed) {
            let found = try? ToolCatalogue.effect(tool: tool, arguments: arguments, declared: effect)
            #expect(found == (isAllowed ? effect : nil))
        }
    }

    @Test("Effects are ordered by strictness")
    func strictness() { #expect(Effect.allCases.sorted() == [.none, .idempotent, .once]) }

    @Test("The arguments of a call may hold secrets, but no other template")
    func callFaults() throws {
        let arguments: JSONValue = [
            "method": "GET", "url": "https://h/${{ run.id }}",
            "headers": ["a": "${{ secrets.T }}", "b": "$${{ run.id }}"],
        ]
        #expect(ToolCatalogue.callFaults(tool: .http, arguments: arguments).map(\.pointer) == ["/arguments/url"])
    }

    @Test("A call is checked by what its templates turned out to be")
    func resolvedCalls() throws {
        let step = try plan(#"{"id": "a", "tool": "file.read", "with": {"path": "${{ run.input.p }}"}}"#).steps[0]
        func pointers(_ path: JSONValue) throws -> [String] {
            let scope = TemplateScope(runID: "r", input: ["p": path])
            let arguments = try step.resolvedArguments(with: scope.value)
            return ToolCatalogue.callFaults(tool: .fileRead, arguments: arguments).map(\.pointer)
        }
        #expect(try pointers("a/b") == [])
        #expect(try pointers(7) == [])
        #expect(try pointers("../x") == ["/arguments/path"])
        #expect(try pointers("${{ secrets.A }}/../../x") == ["/arguments/path"])
        #expect(try pointers(["a"]) == ["/arguments/path"])
        #expect(try pointers(nil) == ["/arguments/path"])
    }

    @Test("Numbers and booleans from templates become text where only text can stand")
    func rendering() throws {
        let step = try plan(
            #"""
            {"id": "a", "tool": "shell", "with": {"argv": ["x", "${{ run.input.n }}"], "network": "${{ run.input.b }}",
             "env": {"B": "${{ run.input.b }}"}, "stdin": "${{ run.input.n }}"}}
            """#
        ).steps[0]
        let scope = TemplateScope(runID: "r", input: ["n": 7, "b": false])
        let arguments = try step.resolvedArguments(with: scope.value)
        #expect(arguments == ["argv": ["x", "7"], "network": false, "env": ["B": "false"], "stdin": "7"])
    }
}
