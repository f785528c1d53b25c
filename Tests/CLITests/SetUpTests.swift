import CLI
import HTTP
import HTTPClient
import JSON
import Shared
import Testing

/// What tells how things stand, and how to mend them.
@Suite("The set-up")
struct SetUpTests {
    private static let health: JSONValue = [
        "ok": true, "ts": "2026-03-04T05:06:07.000Z", "version": .string(ReleaseVersion.text),
        "enforcement_mode": "enforce", "kill_switch": false, "draining": false,
    ]

    /// An api that is well, but for this issue.
    private func api(_ issue: HealthIssue?, supervisor: JSONValue = ["supervised": false]) -> FakeAPI {
        let report = SystemHealth(
            ok: issue?.severity != .down, workspaceID: .development, serverTime: FixedClock.now,
            checks: [
                "db": ["ok": true, "writable": true, "last_commit_ms": 3],
                "optional": ["supervisor": ["supported": true, "ok": true, "details": supervisor]],
            ],
            summary: HealthSummary(
                healthSummary: issue == nil ? .ok : .degraded, projectionLagSec: 0, activeIncidentsCount: 0,
                topIssues: issue.map { [$0] } ?? []))
        return FakeAPI { line, _ in
            switch line.split(separator: "?")[0] {
            case "GET /health": .json(200, Self.health)
            case "POST /v1/system/health": .json(200, try! JSON.value(of: report, nulls: .write))
            case "GET /v1/runs": .json(200, ["runs": [], "next_cursor": nil])
            case "GET /v1/approvals": .json(200, ["approvals": [], "next_cursor": nil])
            case "GET /v1/engines": .json(200, ["engines": []])
            case "GET /v1/kill-switch":
                .json(
                    200,
                    try! JSON.value(
                        of: KillSwitchAnswer(engaged: false, killSwitch: KillSwitch(), unconfirmed: []), nulls: .write))
            default: .json(404, Samples.problem(404, .routeNotFound, line))
            }
        }
    }

    private static let issue = HealthIssue(
        .supervisorDegraded, .degraded, of: "ws_dev", updatedAt: FixedClock.now,
        summary: "the engine was started again 2 times", action: "aos doctor")

    @Test("is told by aos status with what is wrong and what mends it")
    func status() {
        let engine: JSONValue = ["name": "engine", "restarts": 2, "last_exit": "signal 9"]
        let supervisor: JSONValue = [
            "supervised": true, "mode": "embedded", "state": "degraded", "programs": [engine],
        ]
        let (exit, said) = aos(["status"], api(Self.issue, supervisor: supervisor))
        #expect(exit == .ok)
        #expect(said.outputLines.contains("supervisor\tembedded, degraded; engine restarted 2x, last: signal 9"))
        #expect(
            said.outputLines.last
                == "issue\tDEGRADED\tsupervisor_degraded\tthe engine was started again 2 times\taos doctor")
        #expect(!aos(["status"], api(nil)).said.output.contains("supervisor"))
    }

    @Test("has a cure for every line of aos doctor that is not green, and exit 1 when one is red")
    func doctor() throws {
        for api in [api(Self.issue), FakeAPI { _, _ in .failure(.unreachable("nobody")) }] {
            let (exit, said) = aos(["doctor", "--json"], api)
            let checks = try #require(try JSON.parse(said.output)["checks"]?.arrayValue)
            for check in checks where check["result"] != "ok" {
                #expect(check["fix"]?.stringValue?.isEmpty == false, "\(check)")
            }
            #expect((exit == .failed) == checks.contains { $0["result"] == "FAIL" })
            let names = checks.compactMap { $0["name"]?.stringValue }
            for name in ["programs", "api", "namespaces", "sandbox"] { #expect(names.contains(name), "\(name)") }
        }
        let unreachable = aos(["doctor", "--json", "name,result"])
        #expect(unreachable.exit == .failed)
        #expect(unreachable.said.output.contains(#"{"name":"api","result":"FAIL"}"#))
    }

    @Test("who the caller is: exit 4 where the api does not know the token, which is never shown")
    func auth() {
        let known = aos(["auth", "status"], api(nil))
        #expect(known.exit == .ok && known.said.outputLines.contains("you are\toperator"))
        #expect(known.said.outputLines.contains("token\tAOS_TOKEN"))
        let refusing = FakeAPI { _, _ in .json(401, Samples.problem(401, .invalidSession, "who are you?")) }
        let (exit, said) = aos(["whoami"], refusing, environment: ["AOS_TOKEN": "s3cret"])
        #expect(exit == .authentication)
        #expect(
            said.output.contains("not known to this api") && said.error.contains("AOS_TOKEN is not this api's token"))
        #expect(!(said.output + said.error).contains("s3cret"))
    }
}
