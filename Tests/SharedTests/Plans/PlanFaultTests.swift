import JSON
import Testing

@testable import Shared

struct FaultyPlan: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    let pointers: [String]

    init(_ name: String, _ text: String, _ pointers: String...) {
        testDescription = name
        self.text = text
        self.pointers = pointers
    }

    /// One step `a` of a tool; pointers relative to its `with`.
    static func call(_ tool: String, _ arguments: String, _ pointers: String...) -> Self {
        Self(
            name: "\(tool) with \(arguments.prefix(80))", text: planText(tool: tool, with: arguments),
            pointers: pointers.map { "/plan/steps/0/with\($0)" })
    }

    init(name: String, text: String, pointers: [String]) {
        (testDescription, self.text, self.pointers) = (name, text, pointers)
    }
}

@Suite("Faulty plans")
struct PlanFaultTests {
    @Test("Every fault of a plan is named with its exact place", arguments: shapes + steps + references)
    func planFaults(_ plan: FaultyPlan) throws {
        #expect(try faults(plan.text).faults.map(\.pointer) == plan.pointers)
    }

    @Test("Every fault of a tool's arguments is named with its exact place", arguments: shell + files + http + others)
    func argumentFaults(_ plan: FaultyPlan) throws {
        #expect(try faults(plan.text).faults.map(\.pointer) == plan.pointers)
    }

    @Test("Templates that cannot be read or reach too far are named", arguments: templates)
    func templateFaults(_ plan: FaultyPlan) throws {
        #expect(try faults(plan.text).faults.map(\.pointer) == plan.pointers)
    }

    @Test("All faults are collected, up to the limit, and the rest is counted")
    func limit() throws {
        let steps = (0..<60).map { "{\"id\": \"s\($0)\", \"tool\": \"nope\"}" }.joined(separator: ", ")
        let found = try faults("{\"version\": 1, \"steps\": [\(steps)]}")
        #expect(found.faults.count == 50)
        #expect(found.omitted == 10)
        #expect(found.faults[49].pointer == "/plan/steps/49/tool")
    }

    @Test("A plan over 256 KiB is refused as a whole")
    func size() throws {
        func plan(_ length: Int) -> String {
            let text = String(repeating: "a", count: length)
            return planText(tool: "file.write", with: "{\"path\": \"f\", \"text\": \"\(text)\"}")
        }
        let frame = JSON.canonical(try JSON.parse(plan(0))).count
        #expect(try faults(plan(262_144 - frame)).faults == [])
        #expect(try faults(plan(262_145 - frame)).faults.map(\.pointer) == ["/plan"])
    }

    @Test("A fault says what a cycle consists of")
    func cycle() throws {
        let found = try faults(planText(stepText("a", #""needs": ["b"]"#), stepText("b", #""needs": ["a"]"#)))
        #expect(found.faults[0].detail.contains("a needs b needs a"))
    }

    @Test("A fault never quotes the values of arguments")
    func silence() throws {
        let plans = [
            planText(tool: "shell", with: #"{"argv": ["x"], "env": "hunter2"}"#),
            planText(
                tool: "http", with: #"{"method": "GET", "url": "ftp://u:hunter2@h/", "headers": {"a": "hunter2\n"}}"#),
            planText(tool: "sleep", with: #"{"duration_ms": "hunter2"}"#),
        ]
        for plan in plans {
            let found = try faults(plan).faults
            #expect(!found.isEmpty)
            #expect(!found.contains { $0.detail.contains("hunter2") })
        }
    }

    static let shapes: [FaultyPlan] = [
        .init("an array", "[]", "/plan"),
        .init("null", "null", "/plan"),
        .init("no members", "{}", "/plan/version", "/plan/steps"),
        .init("version 2", #"{"version": 2, "steps": [\#(stepText("a"))]}"#, "/plan/version"),
        .init("version as text", #"{"version": "1", "steps": [\#(stepText("a"))]}"#, "/plan/version"),
        .init("no steps", #"{"version": 1, "steps": []}"#, "/plan/steps"),
        .init("steps as an object", #"{"version": 1, "steps": {}}"#, "/plan/steps"),
        .init("an unknown member", #"{"version": 1, "steps": [\#(stepText("a"))], "x/y~z": 1}"#, "/plan/x~1y~0z"),
        .init("a step that is text", planText("\"a\""), "/plan/steps/0"),
        top("a workdir that is text", #""workdir": "/tmp""#, "/plan/workdir"),
        top("a relative workdir", #""workdir": {"path": "tmp"}"#, "/plan/workdir/path"),
        top("a workdir with ..", #""workdir": {"path": "/tmp/../etc"}"#, "/plan/workdir/path"),
        top("a template as workdir", #""workdir": {"path": "/${{ run.id }}"}"#, "/plan/workdir/path"),
        top("a worktree", #""workdir": {"path": "/r", "isolation": "worktree"}"#, "/plan/workdir/isolation"),
        top("an unknown isolation", #""workdir": {"path": "/r", "isolation": "vm"}"#, "/plan/workdir/isolation"),
        top("isolation none without a path", #""workdir": {"isolation": "none"}"#, "/plan/workdir/path"),
        top("isolation temp with a path", #""workdir": {"path": "/r", "isolation": "temp"}"#, "/plan/workdir/path"),
        top("an unknown member of workdir", #""workdir": {"root": "/r"}"#, "/plan/workdir/root"),
        top("limits as text", #""limits": "none""#, "/plan/limits"),
        top(
            "limits of zero", #""limits": {"timeout_ms": 0, "max_parallel": 0, "max_tool_calls": 0}"#,
            "/plan/limits/timeout_ms", "/plan/limits/max_parallel", "/plan/limits/max_tool_calls"),
        top(
            "limits too high",
            #""limits": {"timeout_ms": 86400001, "max_parallel": 17, "max_tool_calls": 10001}"#,
            "/plan/limits/timeout_ms", "/plan/limits/max_parallel", "/plan/limits/max_tool_calls"),
        top("a fraction as limit", #""limits": {"max_parallel": 1.5}"#, "/plan/limits/max_parallel"),
        top("an unknown limit", #""limits": {"max_memory": 1}"#, "/plan/limits/max_memory"),
        .init(
            "201 steps",
            "{\"version\": 1, \"steps\": [\((0...200).map { stepText("s\($0)") }.joined(separator: ","))]}",
            "/plan/steps"),
    ]

    private static func top(_ name: String, _ member: String, _ pointers: String...) -> FaultyPlan {
        FaultyPlan(name: name, text: #"{"version": 1, \#(member), "steps": [\#(stepText("a"))]}"#, pointers: pointers)
    }

    static let steps: [FaultyPlan] = [
        .init("a step without anything", planText("{}"), "/plan/steps/0/id", "/plan/steps/0/tool"),
        .init("an id with a capital", planText(stepText("A")), "/plan/steps/0/id"),
        .init("an id with a digit first", planText(stepText("1a")), "/plan/steps/0/id"),
        .init("an id of 65 bytes", planText(stepText(String(repeating: "a", count: 65))), "/plan/steps/0/id"),
        .init("an id with a dot", planText(stepText("a.b")), "/plan/steps/0/id"),
        .init("an unknown tool", planText(#"{"id": "a", "tool": "shel"}"#), "/plan/steps/0/tool"),
        .init("a tool that is a number", planText(#"{"id": "a", "tool": 1}"#), "/plan/steps/0/tool"),
        .init(
            "a message without content", planText(#"{"id": "a", "tool": "message", "with": {"thread_id": "th_1"}}"#),
            "/plan/steps/0/with/content_md"),
        .init("the tool model", planText(#"{"id": "a", "tool": "model"}"#), "/plan/steps/0/tool"),
        .init("the tool agent", planText(#"{"id": "a", "tool": "agent"}"#), "/plan/steps/0/tool"),
        .init("an mcp tool", planText(#"{"id": "a", "tool": "mcp.github.search"}"#), "/plan/steps/0/tool"),
        .init("no arguments", planText(#"{"id": "a", "tool": "shell"}"#), "/plan/steps/0/with"),
        .init("arguments as text", planText(#"{"id": "a", "tool": "shell", "with": "ls"}"#), "/plan/steps/0/with"),
        .init("an unknown member", planText(stepText("a", #""if": "x""#)), "/plan/steps/0/if"),
        .init(
            "a title of 201", planText(stepText("a", "\"title\": \"\(String(repeating: "ü", count: 201))\"")),
            "/plan/steps/0/title"),
        .init("a template as title", planText(stepText("a", #""title": "run ${{ run.id }}""#)), "/plan/steps/0/title"),
        .init("an unknown condition", planText(stepText("a", #""when": "never""#)), "/plan/steps/0/when"),
        .init("a clean-up of nothing", planText(stepText("a", #""when": "failure""#)), "/plan/steps/0/when"),
        .init("a timeout of zero", planText(stepText("a", #""timeout_ms": 0"#)), "/plan/steps/0/timeout_ms"),
        .init("an unknown effect", planText(stepText("a", #""effect": "twice""#)), "/plan/steps/0/effect"),
        .init(
            "a flag as text", planText(stepText("a", #""continue_on_error": "yes""#)),
            "/plan/steps/0/continue_on_error"),
        .init("a retry as number", planText(stepText("a", #""retry": 3"#)), "/plan/steps/0/retry"),
        .init(
            "a retry without attempts", planText(stepText("a", #""retry": {}"#)),
            "/plan/steps/0/retry/max_attempts"),
        .init(
            "a retry out of range",
            planText(stepText("a", #""retry": {"max_attempts": 21, "initial_ms": -1, "factor": 0.5, "max_ms": -1}"#)),
            "/plan/steps/0/retry/max_attempts", "/plan/steps/0/retry/initial_ms", "/plan/steps/0/retry/factor",
            "/plan/steps/0/retry/max_ms"),
        .init(
            "a retry whose maximum is below its start",
            planText(stepText("a", #""retry": {"max_attempts": 2, "initial_ms": 100, "max_ms": 50}"#)),
            "/plan/steps/0/retry/max_ms"),
        .init(
            "an unknown member of retry", planText(stepText("a", #""retry": {"max_attempts": 2, "jitter": 1}"#)),
            "/plan/steps/0/retry/jitter"),
        .init("artifacts as object", planText(stepText("a", #""artifacts": {}"#)), "/plan/steps/0/artifacts"),
        .init(
            "an artifact without anything", planText(stepText("a", #""artifacts": [{}]"#)),
            "/plan/steps/0/artifacts/0/kind", "/plan/steps/0/artifacts/0"),
        .init(
            "an artifact by path and glob",
            planText(stepText("a", #""artifacts": [{"path": "a", "glob": "*", "kind": "log"}]"#)),
            "/plan/steps/0/artifacts/0"),
        .init(
            "an artifact outside the workdir",
            planText(
                stepText("a", #""artifacts": [{"path": "../a", "kind": "log"}, {"glob": "/a/*", "kind": "log"}]"#)),
            "/plan/steps/0/artifacts/0/path", "/plan/steps/0/artifacts/1/glob"),
        .init(
            "an artifact with a template",
            planText(stepText("a", #""artifacts": [{"path": "${{ run.id }}", "kind": "log"}]"#)),
            "/plan/steps/0/artifacts/0/path"),
        .init(
            "an artifact of a strange kind",
            planText(stepText("a", #""artifacts": [{"path": "a", "kind": "A Log"}]"#)),
            "/plan/steps/0/artifacts/0/kind"),
        .init(
            "51 artifacts",
            planText(
                stepText(
                    "a",
                    "\"artifacts\": [\((0..<51).map { _ in #"{"path": "a", "kind": "log"}"# }.joined(separator: ","))]")
            ),
            "/plan/steps/0/artifacts"),
    ]

    static let references: [FaultyPlan] = [
        .init("two steps of one id", planText(stepText("a"), stepText("a")), "/plan/steps/1/id"),
        .init("needs as text", planText(stepText("a"), stepText("b", #""needs": "a""#)), "/plan/steps/1/needs"),
        .init(
            "a need that is no id", planText(stepText("a", #""needs": [7, "A"]"#)),
            "/plan/steps/0/needs/0", "/plan/steps/0/needs/1"),
        .init("a need that is not there", planText(stepText("a", #""needs": ["b"]"#)), "/plan/steps/0/needs/0"),
        .init("a need twice", planText(stepText("a"), stepText("b", #""needs": ["a", "a"]"#)), "/plan/steps/1/needs/1"),
        .init("a step that needs itself", planText(stepText("a", #""needs": ["a"]"#)), "/plan/steps/0/needs/0"),
        .init(
            "a cycle of two", planText(stepText("a", #""needs": ["b"]"#), stepText("b", #""needs": ["a"]"#)),
            "/plan/steps/1/needs/0"),
        .init(
            "a cycle of three beside an innocent",
            planText(
                stepText("a", #""needs": ["x", "c"]"#), stepText("b", #""needs": ["a"]"#),
                stepText("c", #""needs": ["b"]"#), stepText("x")),
            "/plan/steps/1/needs/0"),
        .init(
            "faults of two steps", planText(stepText("A"), stepText("b", #""timeout_ms": -1"#)),
            "/plan/steps/0/id", "/plan/steps/1/timeout_ms"),
    ]

    static let shell: [FaultyPlan] = [
        .call("shell", "{}", ""),
        .call("shell", #"{"argv": ["ls"], "script": "ls"}"#, ""),
        .call("shell", #"{"argv": []}"#, "/argv"),
        .call("shell", #"{"argv": "ls -l"}"#, "/argv"),
        .call("shell", #"{"argv": ["ls", 1, null]}"#, "/argv/1", "/argv/2"),
        .call("shell", #"{"argv": [""]}"#, "/argv/0"),
        .call("shell", "{\"argv\": [\((0...1024).map { _ in "\"x\"" }.joined(separator: ","))]}", "/argv"),
        .call("shell", "{\"argv\": [\"x\", \"\(String(repeating: "y", count: 131_072))\"]}", "/argv"),
        .call("shell", #"{"script": ""}"#, "/script"),
        .call("shell", #"{"script": ["ls"]}"#, "/script"),
        .call("shell", "{\"script\": \"\(String(repeating: "y", count: 65_537))\"}", "/script"),
        .call("shell", #"{"script": "echo ${{ run.id }}"}"#, "/script"),
        .call("shell", #"{"script": "${{ run.input.script }}"}"#, "/script"),
        .call("shell", #"{"script": "ls", "env": ["A=1"]}"#, "/env"),
        .call("shell", #"{"script": "ls", "env": {"1A": "x", "A-B": "x", "": "x"}}"#, "/env/1A", "/env/A-B", "/env/"),
        .call("shell", #"{"script": "ls", "env": {"LD_PRELOAD": "x.so"}}"#, "/env/LD_PRELOAD"),
        .call("shell", #"{"script": "ls", "env": {"A": 1}}"#, "/env/A"),
        .call("shell", #"{"script": "ls", "stdin": 1}"#, "/stdin"),
        .call("shell", #"{"script": "ls", "network": "true"}"#, "/network"),
        .call("shell", #"{"script": "ls", "cwd": "/"}"#, "/cwd"),
        .call("shell", #"{"script": "ls", "cwd": "a/../.."}"#, "/cwd"),
        .call("shell", #"{"script": "ls", "shell": "zsh"}"#, "/shell"),
        .call("shell", #"{"argv": ["curl", "-H", "x: ${{ secrets.T }}"]}"#, "/argv/2"),
        .call("shell", #"{"argv": ["sh", "-c", "echo ${{ run.input.name }}"]}"#, "/argv/2"),
        .call("shell", #"{"argv": ["/bin/bash", "-e", "-lc", "echo ${{ run.id }}", "x"]}"#, "/argv/3"),
    ]

    static let files: [FaultyPlan] = [
        .call("file.read", "{}", "/path"),
        .call("file.read", #"{"path": ""}"#, "/path"),
        .call("file.read", #"{"path": 1}"#, "/path"),
        .call("file.read", #"{"path": "/etc/passwd"}"#, "/path"),
        .call("file.read", #"{"path": "../x"}"#, "/path"),
        .call("file.read", #"{"path": "a/../${{ run.id }}"}"#, "/path"),
        .call("file.read", #"{"path": "/${{ run.id }}"}"#, "/path"),
        .call("file.read", #"{"path": "folder/"}"#, "/path"),
        .call("file.read", "{\"path\": \"\(String(repeating: "p", count: 4097))\"}", "/path"),
        .call("file.read", #"{"path": "a", "max_bytes": 0}"#, "/max_bytes"),
        .call("file.read", #"{"path": "a", "recursive": true}"#, "/recursive"),
        .call("file.list", #"{"path": "..", "recursive": 1}"#, "/path", "/recursive"),
        .call("file.write", #"{"path": "a"}"#, ""),
        .call("file.write", #"{"path": "a", "text": "x", "json": {}}"#, ""),
        .call("file.write", #"{"path": "a", "text": {}}"#, "/text"),
        .call("file.write", #"{"path": "a", "text": "x", "mode": 644}"#, "/mode"),
        .call("file.write", #"{"path": "a", "text": "x", "mode": "0888"}"#, "/mode"),
        .call("file.write", #"{"path": "a", "text": "x", "mode": "4755"}"#, "/mode"),
        .call("file.write", #"{"text": "x"}"#, "/path"),
    ]

    static let http: [FaultyPlan] = [
        .call("http", "{}", "/method", "/url"),
        .call("http", #"{"method": "get", "url": "https://h/"}"#, "/method"),
        .call("http", #"{"method": "TRACE", "url": "https://h/"}"#, "/method"),
        .call("http", #"{"method": "GET", "url": "ftp://h/"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "h/x"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "https:///x"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "https://h/a b"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "https://h/\r\nX: y"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "https://u:p@h/"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "https://${{ secrets.H }}/x"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "${{ secrets.URL }}"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "http${{ run.input.rest }}"}"#, "/url"),
        .call("http", #"{"method": "GET", "url": "https://h/", "headers": []}"#, "/headers"),
        .call("http", #"{"method": "GET", "url": "https://h/", "headers": {"Host": "x"}}"#, "/headers/Host"),
        .call(
            "http",
            #"{"method": "GET", "url": "https://h/", "headers": {"content-length": "1", "CONNECTION": "x", "Transfer-Encoding": "x"}}"#,
            "/headers/content-length", "/headers/CONNECTION", "/headers/Transfer-Encoding"),
        .call(
            "http", #"{"method": "GET", "url": "https://h/", "headers": {"a b": "x", "": "x"}}"#,
            "/headers/a b", "/headers/"),
        .call(
            "http", #"{"method": "GET", "url": "https://h/", "headers": {"a": "x\r\nb: y", "c": "\n"}}"#,
            "/headers/a", "/headers/c"),
        .call("http", #"{"method": "GET", "url": "https://h/", "headers": {"a": "x", "A": "y"}}"#, "/headers/A"),
        .call("http", #"{"method": "GET", "url": "https://h/", "headers": {"a": 1}}"#, "/headers/a"),
        .call("http", #"{"method": "GET", "url": "https://h/", "json": {}}"#, "/json"),
        .call("http", #"{"method": "HEAD", "url": "https://h/", "body_file": "a"}"#, "/body_file"),
        .call("http", #"{"method": "POST", "url": "https://h/", "json": {}, "text": "x"}"#, ""),
        .call("http", #"{"method": "POST", "url": "https://h/", "body_file": "/a"}"#, "/body_file"),
        .call("http", #"{"method": "GET", "url": "https://h/", "expect_status": 99}"#, "/expect_status"),
        .call("http", #"{"method": "GET", "url": "https://h/", "expect_status": []}"#, "/expect_status"),
        .call(
            "http", #"{"method": "GET", "url": "https://h/", "expect_status": [200, "201", 600]}"#,
            "/expect_status/1", "/expect_status/2"),
        .call("http", #"{"method": "GET", "url": "https://h/", "query": {}}"#, "/query"),
    ]

    static let others: [FaultyPlan] = [
        .call("sleep", "{}", ""),
        .call("sleep", #"{"duration_ms": 1, "until": "2026-03-01T08:00:00Z"}"#, ""),
        .call("sleep", #"{"duration_ms": -1}"#, "/duration_ms"),
        .call("sleep", #"{"duration_ms": 2592000001}"#, "/duration_ms"),
        .call("sleep", #"{"duration_ms": "1s"}"#, "/duration_ms"),
        .call("sleep", #"{"until": "tomorrow"}"#, "/until"),
        .call("sleep", #"{"until": "2026-02-30T08:00:00Z"}"#, "/until"),
        .call("approval", "{}", "/title"),
        .call("approval", #"{"title": ""}"#, "/title"),
        .call("approval", "{\"title\": \"\(String(repeating: "t", count: 201))\"}", "/title"),
        .call("approval", #"{"title": "x", "request": "y"}"#, "/request"),
        .call("approval", #"{"title": "x", "request": {"token": "${{ secrets.T }}"}}"#, "/request/token"),
        .init(
            "an effect below that of a POST",
            planText(
                #"{"id": "a", "tool": "http", "effect": "none", "with": {"method": "POST", "url": "https://h/"}}"#),
            "/plan/steps/0/effect"),
        .init(
            "an effect below that of a shell with network",
            planText(
                #"{"id": "a", "tool": "shell", "effect": "idempotent", "with": {"script": "x", "network": true}}"#),
            "/plan/steps/0/effect"),
        .init(
            "an effect below that of a shell whose network is open",
            planText(
                #"{"id": "a", "tool": "shell", "effect": "none", "with": {"script": "x", "network": "${{ run.input.n }}"}}"#
            ),
            "/plan/steps/0/effect"),
        .init(
            "an effect below that of a write",
            planText(#"{"id": "a", "tool": "file.write", "effect": "none", "with": {"path": "a", "text": ""}}"#),
            "/plan/steps/0/effect"),
    ]

    static let templates: [FaultyPlan] = [
        .call("file.read", #"{"path": "${{ run.id"}"#, "/path"),
        .call("file.read", #"{"path": "${{ }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ env.HOME }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ run.name }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ run.input }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ run.input.a..b }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ run.input.a[0] }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ run.input.a || 'x' }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ secrets.lower }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ secrets.A.B }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ steps.a.output }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ steps.zz.output }}"}"#, "/path"),
        .call("file.read", #"{"path": "${{ steps.zz.state }}"}"#, "/path"),
        .call("file.write", #"{"path": "a", "json": [{"x": "${{ nope }}"}, ["${{"]]}"#, "/json/0/x", "/json/1/0"),
        .call("file.write", #"{"path": "a", "json": {"${{ run.id }}": 1}}"#, "/json/${{ run.id }}"),
        .init(
            "an output of a step that is not needed",
            planText(stepText("a"), #"{"id": "b", "tool": "file.read", "with": {"path": "${{ steps.a.output.p }}"}}"#),
            "/plan/steps/1/with/path"),
        .init(
            "an output of a later step",
            planText(
                #"{"id": "a", "tool": "file.read", "with": {"path": "${{ steps.b.output.p }}"}}"#,
                stepText("b", #""needs": ["a"]"#)),
            "/plan/steps/0/with/path"),
    ]
}
