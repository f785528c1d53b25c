import APIClient
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("The health of the system")
struct HealthTests {
    private func check(_ api: TestAPI, in workspace: WorkspaceID? = nil) throws -> JSONValue {
        let answer = try api.operator(in: workspace).post("/v1/system/health", ["schema_version": "2.1"])
        guard answer.status == 200 else { throw TestFailure("no health: \(answer.text)") }
        return answer.json
    }

    private func kinds(_ health: JSONValue) -> [String] {
        (health["summary"]?["top_issues"]?.arrayValue ?? []).compactMap { $0["kind"]?.stringValue }
    }

    private func items(_ api: TestAPI, _ query: String) throws -> Answered {
        try api.operator.get("/v1/system/health/issues?\(query)")
    }

    @Test("is OK where nothing has happened yet", arguments: Transports.allCases)
    func fresh(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let health = try check(api)
            #expect((health["schema_version"], health["ok"], health["workspace_id"]) == ("2.1", true, "ws_dev"))
            #expect(health["summary"]?["health_summary"] == "OK")
            #expect(health["summary"]?["top_issues"] == [])
            #expect(health["summary"]?["cron_freshness_sec"] == .null)
            #expect(health["meta"] == ["cached": false])
            #expect(Timestamp(health["server_time"]?.stringValue ?? "") != nil)
            for check in ["db", "kernel_schema_versions", "evt_events", "evt_events_idempotency"] {
                #expect(health["checks"]?[check]?["ok"] == true, "\(check)")
            }
            #expect(health["checks"]?["db"]?["last_commit_ms"]?.intValue != nil)
            #expect(health["checks"]?["evt_events"]?["head_global_seq"]?.intValue ?? 0 >= 1)
            #expect(health["checks"]?["optional"]?["disk"]?["details"]?["free_bytes"]?.intValue ?? 0 > 0)
            let none = try items(api, "")
            #expect((none["items"], none["truncated"], none["next_cursor"]) == ([], false, .null))
            #expect((none["kind"], none["applied_limit"]) == (.null, 50))
        }
    }

    @Test("says what waits and what is wrong, in this workspace", arguments: Transports.allCases)
    func issues(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            _ = try api.run(in: room)
            #expect(kinds(try check(api)) == ["no_engine"])
            let failed = try api.hold()
            #expect(kinds(try check(api)) == [])
            #expect(try failed.onRun("fail").status == 200)
            let approval = try api.operator.post("/v1/approvals", ["action": "external.write"])[text: "approval_id"]
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": true]).status == 200)
            let health = try check(api)
            #expect(health["summary"]?["health_summary"] == "DEGRADED")
            #expect((health["ok"], health["summary"]?["active_incidents_count"]) == (true, 1))
            #expect(Set(kinds(health)) == ["active_incidents", "kill_switch_engaged", "approvals_waiting"])
            for issue in health["summary"]?["top_issues"]?.arrayValue ?? [] {
                #expect(issue["summary"]?.stringValue?.isEmpty == false)
                #expect(issue["action"]?.stringValue?.hasPrefix("aos ") == true)
            }
            // Incidents and approvals are the workspace's, the switch is the machine's.
            #expect(kinds(try check(api, in: "ws_b")) == ["kill_switch_engaged"])
            let waiting = try items(api, "kind=approvals_waiting")["items"]?.arrayValue ?? []
            #expect(waiting.map { $0["entity_id"] } == [.string(approval)])
            #expect(waiting.first?["action"] == .string("aos approve \(approval)"))
            #expect(try items(api, "kind=cron_stale")["items"] == [])
        }
    }

    @Test("sees runs that nobody takes")
    func staleQueue() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            #expect(try items(api, "kind=queue_stale")["items"] == [])
            api.clock.advance(601_000)
            _ = try api.engine("engine-a").post("/v1/runs/claim", ["room_id": "room_other"])
            // The head file is written when the timers have seen the new time.
            try eventually("nothing else to be wrong") { kinds(try check(api)) == ["queue_stale"] }
            let found = try items(api, "kind=queue_stale")["items"]?.arrayValue ?? []
            #expect(found.map { $0["entity_id"] } == [.string(run.rawValue)])
            #expect(found.first?["age_sec"] == 601)
        }
    }

    @Test("gives the things of one kind page by page, newest change first")
    func pages() throws {
        try withAPI { api in
            for number in 0..<7 {
                #expect(try api.operator.post("/v1/incidents", ["title": .string("n\(number)")]).status == 201)
                api.clock.advance(number % 2 == 0 ? 1 : 0)
            }
            var (found, cursor): ([String], String?) = ([], "")
            while let after = cursor {
                let page = try items(api, "kind=active_incidents&limit=3&cursor=\(after)")
                #expect((page.status, page["applied_limit"]) == (200, 3))
                found += (page["items"]?.arrayValue ?? []).compactMap { $0["entity_id"]?.stringValue }
                cursor = page["next_cursor"]?.stringValue
                #expect(page["truncated"] == .bool(cursor != nil))
            }
            let all = try api.operator.get("/v1/incidents")["incidents"]?.arrayValue ?? []
            #expect(found == all.compactMap { $0["incident_id"]?.stringValue } && found.count == 7)
        }
    }

    @Test("is the operator's own, of his workspace, in a version that there is")
    func refusals() throws {
        try withAPI { api in
            func code(_ body: JSONValue) throws -> String {
                let answer = try api.operator.post("/v1/system/health", body)
                if answer.status != 200 { expectProblem(answer) }
                return "\(answer.status) \(answer.code ?? "")"
            }
            #expect(try code([:]) == "400 missing_required_field")
            #expect(try code(["schema_version": "1.0"]) == "400 unsupported_version")
            #expect(try code(["schema_version": "2.0"]) == "200 ")
            #expect(try code(["schema_version": "2.1", "workspace_id": "ws_dev"]) == "200 ")
            #expect(try code(["schema_version": "2.1", "workspace_id": "ws_b"]) == "403 unauthorized_workspace")
            #expect(try items(api, "kind=rain").code == "invalid_payload_combination")
            #expect(try items(api, "kind=rain")["details"]?["field"] == "kind")
            #expect(try items(api, "schema_version=9").code == "unsupported_version")
            #expect(try items(api, "workspace_id=ws_b").code == "unauthorized_workspace")
            #expect(try items(api, "limit=x").code == "invalid_limit")
            #expect(try items(api, "cursor=x").code == "invalid_cursor")
            let engine = try api.engine("engine-a")
            #expect(try engine.post("/v1/system/health", ["schema_version": "2.1"]).code == "operator_required")
            #expect(try engine.get("/v1/system/health/issues").code == "operator_required")
        }
    }

    @Test("is DOWN and says so when a read model does not show the end of the log")
    func damaged() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        let run = try api.run(in: api.room())
        _ = try api.hold()
        #expect(try check(api)["summary"]?["health_summary"] == "OK")
        try api.restart { try api.damage("DELETE FROM proj_runs WHERE run_id = '\(run)'") }
        #expect(kinds(try check(api)) == ["projection_lagging"])
        #expect(try check(api)["summary"]?["health_summary"] == "DEGRADED")
        api.clock.advance(301_000)
        let health = try check(api)
        #expect((health["ok"], health["summary"]?["health_summary"]) == (false, "DOWN"))
        #expect(health["checks"]?["optional"]?["projection_lag"]?["ok"] == false)
        #expect(health["summary"]?["projection_lag_sec"]?.intValue ?? 0 > 300)
    }

    @Test("tells when the head file cannot be written")
    func headFile() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        let path = "\(api.folder.path)/audit/heads.ndjson"
        try Files.makeFolder("\(path).folder")
        // The timers may write it again in between.
        try eventually("a folder to stand where the head file was") {
            if Files.exists(path) { try Files.remove(path) }
            return (try? Files.rename("\(path).folder", to: path)) != nil
        }
        _ = try api.room()
        api.clock.advance(31_000)
        #expect(kinds(try check(api)) == ["head_file_lagging"])
        #expect(try check(api)["checks"]?["optional"]?["head_file"]?["ok"] == false)
    }

    @Test("tells how a supervisor stands, as long as it is there")
    func supervisor() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        func told() throws -> JSONValue? { try check(api)["checks"]?["optional"]?["supervisor"]?["details"] }
        #expect(try told() == ["supervised": false])
        var engine = Supervision.Program(name: "engine")
        (engine.state, engine.restarts, engine.recentRestarts, engine.lastExit) = (.running, 7, 1, "signal 9")
        var supervision = Supervision(
            mode: .embedded, pid: 1, restartsMax: 5, windowMs: 60_000, programs: [.init(name: "api"), engine],
            at: Timestamp(milliseconds: api.clock.wallMilliseconds()))
        supervision.state = .degraded
        try Files.writeAtomically(
            try JSON.encode(supervision, nulls: .write), to: "\(api.folder.path)/\(Supervision.fileName)")
        var lock: Descriptor? = try .openToWrite("\(api.folder.path)/\(Supervision.lockFileName)")
        #expect(try lock?.tryLock() == true)
        #expect(kinds(try check(api)) == ["supervisor_degraded"])
        let details = try told()
        #expect((details?["supervised"], details?["mode"], details?["state"]) == (true, "embedded", "degraded"))
        #expect(details?["programs"]?[1]?["restarts"] == 7 && details?["programs"]?[1]?["last_exit"] == "signal 9")
        // A file that cannot be read is as none, and so is one whose writer is gone.
        try Files.writeAtomically(Array("{}".utf8), to: "\(api.folder.path)/\(Supervision.fileName)")
        #expect(try told() == ["supervised": false])
        try Files.writeAtomically(
            try JSON.encode(supervision, nulls: .write), to: "\(api.folder.path)/\(Supervision.fileName)")
        lock = nil
        _ = lock
        #expect(try told() == ["supervised": false])
        #expect(kinds(try check(api)) == [])
    }
}
