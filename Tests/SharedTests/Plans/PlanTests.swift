import JSON
import Testing

@testable import Shared

@Suite("Plans")
struct PlanTests {
    static let full = #"""
        {
          "version": 1,
          "workdir": {"path": "/home/ana/site"},
          "limits": {"timeout_ms": 60000, "max_parallel": 4, "max_tool_calls": 20},
          "steps": [
            {"id": "count", "tool": "shell", "effect": "none", "with": {"argv": ["wc", "-l", "README.md"]}},
            {"id": "fetch", "tool": "http",
             "with": {"method": "GET", "url": "https://example.org/data.json", "expect_status": [200, 204]},
             "retry": {"max_attempts": 4, "initial_ms": 500, "factor": 2.5, "max_ms": 30000}, "timeout_ms": 20000},
            {"id": "write", "tool": "file.write", "needs": ["count", "fetch"], "title": "Write",
             "with": {"path": "report.txt", "mode": "0644", "text": "lines: ${{ steps.count.output.stdout }}"}},
            {"id": "list", "tool": "file.list", "with": {"recursive": true}},
            {"id": "nap", "tool": "sleep", "with": {"until": "2026-03-01T08:00:00+01:00"}, "needs": ["list"]},
            {"id": "ask", "tool": "approval", "needs": ["write"],
             "with": {"title": "Send ${{ run.id }}?", "request": {"lines": "${{ steps.count.output.lines }}"}}},
            {"id": "ship", "tool": "http", "needs": ["ask"], "effect": "once",
             "with": {"method": "PUT", "url": "https://example.org/reports?k=${{ secrets.KEY }}",
                      "body_file": "report.txt",
                      "headers": {"authorization": "Bearer ${{ secrets.REPORTS_TOKEN }}"}},
             "artifacts": [{"path": "report.txt", "kind": "report"}, {"glob": "logs/*.log", "kind": "log", "title": "L"}]},
            {"id": "clean", "tool": "shell", "needs": ["ship"], "when": "failure", "continue_on_error": true,
             "with": {"script": "echo \"$WHY\" $HOME ${X}", "network": true, "cwd": "logs",
                      "env": {"WHY": "${{ run.input.why.0.text-1 }}", "TOKEN": "${{ secrets.REPORTS_TOKEN }}"}}}
          ]
        }
        """#

    @Test("A valid plan is read and written and read again to the same plan")
    func roundTrip() throws {
        let plan = try parsed(Self.full).get()
        let again = try Plan.parse(plan.json).get()
        #expect(again == plan)
        #expect(again.json == plan.json)
    }

    @Test("A plan is read with all it says")
    func reading() throws {
        let plan = try parsed(Self.full).get()
        #expect(plan.workdir == PlanWorkdir(path: "/home/ana/site", isolation: .none))
        #expect(plan.limits.maxParallel == 4)
        #expect(plan.steps.map(\.id.rawValue) == ["count", "fetch", "write", "list", "nap", "ask", "ship", "clean"])
        #expect(plan.step(id("fetch"))?.retry == Retry(maxAttempts: 4, initialMs: 500, factor: 2.5, maxMs: 30_000))
        #expect(plan.step(id("ship"))?.artifacts.map(\.source) == [.path("report.txt"), .glob("logs/*.log")])
        #expect(plan.step(id("clean"))?.when == .failure)
        #expect(plan.step(id("clean"))?.continueOnError == true)
        #expect(plan.secretNames == ["KEY", "REPORTS_TOKEN"])
    }

    @Test("What a plan leaves out has its default")
    func defaults() throws {
        let plan = try plan(stepText("a"))
        let step = plan.steps[0]
        #expect(plan.workdir == PlanWorkdir(path: nil, isolation: .temp))
        #expect(plan.limits.timeoutMs == 3_600_000)
        #expect(plan.limits.maxParallel == 2)
        #expect(plan.limits.maxToolCalls == 200)
        #expect(step.when == .success && step.retry == .never && !step.continueOnError)
        #expect(step.timeoutMs == nil && step.declaredEffect == nil && step.title == nil)
        #expect(step.needs.isEmpty && step.artifacts.isEmpty)
        #expect(try Plan.parse(plan.json).get() == plan)
    }

    @Test(
        "Values that are templates, or have some inside, are left open",
        arguments: [
            ("shell", #"{"argv": "${{ run.input.argv }}"}"#),
            ("shell", #"{"argv": ["sh", "-c", "echo \"$1\"", "sh", "${{ run.input.name }}"]}"#),
            (
                "shell",
                #"{"argv": ["${{ run.input.program }}", "--n=${{ run.input.n }}"], "network": "${{ run.input.n }}"}"#
            ),
            ("shell", #"{"script": "echo $${{ x }}", "env": "${{ run.input.env }}"}"#),
            ("file.read", #"{"path": "${{ run.input.path }}", "max_bytes": "${{ run.input.max }}"}"#),
            ("file.write", #"{"path": "out/${{ run.id }}.json", "json": {"a": ["${{ run.input.x }}", 1]}}"#),
            (
                "http",
                #"{"method": "${{ run.input.m }}", "url": "${{ run.input.base }}/x?k=${{ secrets.K }}", "json": 1}"#
            ),
            (
                "http",
                #"{"method": "GET", "url": "https://hooks.example.org/${{ secrets.HOOK }}", "expect_status": "${{ run.input.s }}"}"#
            ),
            ("sleep", #"{"duration_ms": "${{ run.input.ms }}"}"#),
            ("sleep", #"{"until": "${{ run.input.day }}T08:00:00Z"}"#),
            ("approval", #"{"title": "${{ run.input.title }}", "request": "${{ run.input.request }}"}"#),
        ])
    func openValues(tool: String, arguments: String) throws {
        #expect(try faults(planText(tool: tool, with: arguments)).faults == [])
    }

    @Test("A template may name any step that its own step needs, directly or not")
    func transitiveNeeds() throws {
        _ = try plan(
            stepText("a"), stepText("b", #""needs": ["a"]"#),
            #"{"id": "c", "tool": "file.read", "needs": ["b"], "with": {"path": "${{ steps.a.output.path }}"}}"#)
    }

    @Test("A step id is a lowercase letter and up to 63 letters, digits and underscores")
    func stepIDs() {
        #expect(PlanStepID(rawValue: "a_9") != nil)
        #expect(PlanStepID(rawValue: String(repeating: "a", count: 64)) != nil)
        for bad in ["", "_a", "9a", "a-b", "ä", "a\u{301}", "a\n", String(repeating: "a", count: 65)] {
            #expect(PlanStepID(rawValue: bad) == nil)
        }
    }
}

@Suite("Retries")
struct RetryTests {
    @Test(
        "The ceiling grows by the factor up to the maximum",
        arguments: [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000), (20, 30_000)])
    func ceiling(attempt: Int, expected: Int) {
        #expect(Retry(maxAttempts: 20, initialMs: 500, factor: 2, maxMs: 30_000).ceiling(attempt: attempt) == expected)
    }

    @Test("A delay has full jitter: anything from nothing to the ceiling")
    func jitter() {
        let retry = Retry(maxAttempts: 5, initialMs: 100, factor: 3, maxMs: 1000)
        #expect(retry.delay(attempt: 2, random: 0) == 0)
        #expect(retry.delay(attempt: 2, random: 0.5) == 150)
        #expect(retry.delay(attempt: 2, random: 1.0.nextDown) == 300)
    }

    @Test("A factor of one and a start of zero stay where they are")
    func flat() {
        #expect(Retry(maxAttempts: 20, initialMs: 70, factor: 1, maxMs: 1000).ceiling(attempt: 20) == 70)
        #expect(Retry(maxAttempts: 20, initialMs: 0, factor: 100, maxMs: 1000).ceiling(attempt: 20) == 0)
    }

    @Test("Attempts are counted from one")
    func attempts() {
        #expect(!Retry.never.allowsAnother(after: 1))
        #expect(Retry(maxAttempts: 2).allowsAnother(after: 1))
        #expect(!Retry(maxAttempts: 2).allowsAnother(after: 2))
    }
}
