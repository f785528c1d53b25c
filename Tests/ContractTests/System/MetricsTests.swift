import APIClient
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

@testable import API

@Suite("GET /metrics")
struct MetricsTests {
    private func scrape(_ api: TestAPI) throws -> PrometheusText {
        let answer = try api.stranger.get("/metrics")
        guard answer.status == 200 else { throw TestFailure("not scraped: \(answer.text)") }
        return try PrometheusText(answer.text)
    }

    @Test("is text that Prometheus reads, and has all that is promised", arguments: Transports.allCases)
    func format(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try api.run(in: api.room(), Plans.publish)
            let hold = try api.hold()
            _ = try hold.publish(hold.step("a", kind: "http"))
            let answer = try api.stranger.get("/metrics")
            #expect(answer.response.fields[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.response.fields[.cacheControl] == "no-store")
            let metrics = try PrometheusText(answer.text)
            #expect(
                Set(metrics.families.keys).isSuperset(of: [
                    "aos_approvals_waiting", "aos_build_info", "aos_claims_waiting", "aos_commit_batch_commands",
                    "aos_commit_duration_seconds", "aos_commit_failures_total", "aos_draining",
                    "aos_event_log_head_sequence", "aos_events_appended_total", "aos_http_request_duration_seconds",
                    "aos_http_requests_total", "aos_kill_switch_active", "aos_leases", "aos_runs", "aos_sse_followers",
                    "aos_sse_follower_lag_events_max", "aos_sse_followers_dropped_total", "aos_sse_log_reads_total",
                    "aos_writer_queue_commands", "process_cpu_seconds_total", "process_resident_memory_bytes",
                    "process_start_time_seconds",
                ]))
            #expect(metrics.families.keys.allSatisfy { $0.hasPrefix("aos_") || $0.hasPrefix("process_") })
            #expect(metrics.value("aos_build_info", ["version": ReleaseVersion.text]) == 1)
            #expect((metrics.value("process_resident_memory_bytes") ?? 0) > 1_000_000)
        }
    }

    @Test("counts what is there and what happens")
    func values() throws {
        try withAPI { api in
            let room = try api.room()
            _ = try api.run(in: room, Plans.publish)
            _ = try api.run(in: room)
            let hold = try api.hold()
            _ = try hold.publish(hold.step("a", kind: "http"))
            let before = try scrape(api)
            #expect(before.value("aos_runs", ["status": "queued"]) == 1)
            #expect(before.value("aos_runs", ["status": "running"]) == 1)
            #expect(before.value("aos_runs", ["status": "succeeded"]) == 0)
            #expect(before.value("aos_leases") == 1)
            #expect(before.value("aos_approvals_waiting", ["status": "pending"]) == 1)
            #expect(before.value("aos_kill_switch_active") == 0)
            #expect(try before.value("aos_event_log_head_sequence") == Double(api.lastGlobalSeq()))
            #expect(before.value("aos_events_appended_total", ["family": "approval"]) == 1)
            #expect(before.value("aos_events_appended_total", ["family": "constraint"]) == 1)
            #expect((before.value("aos_commit_batch_commands_sum") ?? 0) >= 5)
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            _ = try hold.onRun("complete")
            let after = try scrape(api)
            #expect(after.value("aos_kill_switch_active") == 1)
            #expect(after.value("aos_leases") == 0)
            #expect(after.value("aos_runs", ["status": "succeeded"]) == 1)
        }
    }

    @Test("counts requests by route, never by path, whoever answers and whenever", arguments: Transports.allCases)
    func requests(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let run = try api.run(in: room)
            for _ in 0..<3 { _ = try api.operator.get("/v1/runs/\(run)") }
            _ = try api.operator.get("/v1/runs/nothing-secret")
            _ = try api.stranger.get("/v1/runs/nothing-secret")
            _ = try api.operator.exchange(.head, "/v1/runs/\(run)")
            _ = try api.operator.get("/nowhere-secret")
            _ = try api.operator.exchange(.delete, "/v1/runs")
            // A deferred answer, one of them a refusal, and a streamed body.
            _ = try api.operator.post("/v1/rooms", ["title": ""])
            let hold = try api.hold()
            let digest = String(repeating: "a", count: 64)
            let upload = try hold.client.exchange(
                .put, "/v1/steps/\(hold.step("a"))/blobs/\(digest)", fields: [.xClaimToken: hold.token], body: [1, 2])
            #expect(upload.status == 400)
            let answer = try api.stranger.get("/metrics")
            #expect(!answer.text.contains("secret") && !answer.text.contains(run.rawValue))
            let metrics = try PrometheusText(answer.text)
            func count(_ method: String, _ route: String, _ status: Int) -> Double? {
                metrics.value(
                    "aos_http_requests_total", ["method": method, "route": route, "status": String(status)])
            }
            #expect(count("GET", "/v1/runs/{run_id}", 200) == 4)
            #expect(count("GET", "/v1/runs/{run_id}", 404) == 1)
            #expect(count("GET", "/v1/runs/{run_id}", 401) == 1)
            #expect(count("POST", "/v1/rooms", 201) == 1)
            #expect(count("POST", "/v1/rooms", 400) == 1)
            #expect(count("PUT", "/v1/steps/{step_id}/blobs/{sha256}", 400) == 1)
            #expect(count("unknown", "unmatched", 404) == 1)
            #expect(count("unknown", "unmatched", 405) == 1)
            #expect(
                metrics.value(
                    "aos_http_request_duration_seconds_count", ["method": "GET", "route": "/v1/runs/{run_id}"]) == 6)
        }
    }

    @Test("knows who follows, how far behind they are, and who was left behind")
    func followers() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            guard let address = api.address else { throw TestFailure("no socket") }
            let peer = try RawPeer(address)
            peer.send(
                "GET /v1/streams/rooms/\(room) HTTP/1.1\r\nHost: localhost:\(address.port)\r\n"
                    + "Authorization: Bearer \(api.application.operatorToken)\r\n\r\n")
            try eventually("the follower, with nothing to wait for") {
                let metrics = try scrape(api)
                return metrics.value("aos_sse_followers") == 1 && metrics.value("aos_sse_follower_lag_events_max") == 0
            }
            #expect(try scrape(api).value("aos_sse_followers_dropped_total") == 0)
        }
    }

    @Test("is for anybody on a loopback listener, unless a token was set; then for whoever shows one")
    func access() throws {
        try withAPI { (api) throws in
            #expect(try api.stranger.get("/metrics").status == 200)
            #expect(try api.engine("engine-a").get("/metrics").status == 200)
        }
        try withAPI(settings: ["METRICS_TOKEN": "scrape-me"]) { api in
            func status(_ token: String) throws -> Int {
                try api.stranger.get("/metrics", fields: [.authorization: "Bearer \(token)"]).status
            }
            let none = try api.stranger.get("/metrics")
            #expect((none.status, none.code) == (401, "missing_bearer_token"))
            #expect(try status("scrape-me") == 200)
            #expect(try status("scrape-you") == 401)
            #expect(try api.operator.get("/metrics").status == 200)
            let engine = try api.engine("engine-a").get("/metrics")
            #expect((engine.status, engine.code) == (403, "operator_required"))
            // It opens nothing else.
            #expect(
                try api.stranger.get("/v1/rooms", fields: [.authorization: "Bearer scrape-me"]).code
                    == "invalid_session")
        }
        try withAPI(settings: ["BIND_ADDRESS": "0.0.0.0", "AOS_ALLOWED_HOSTS": "aos.example"]) { (api) throws in
            #expect(try api.stranger.get("/metrics").status == 401)
            #expect(try api.operator.get("/metrics").status == 200)
        }
    }

    @Test("escapes what stands in labels and help, and buckets by their upper bounds")
    func writer() throws {
        let histogram = Histogram([0.1, 1, 10])
        for value in [0.05, 0.1, 0.5, 10, 11] { histogram.observe(value) }
        var text = MetricsText()
        text.family("a_total", .counter, "Line\nand \\ and \"quote\".") {
            $0.sample([("x", "a\"b\\c\nd"), ("y", "é")], 3)
        }
        text.family("b_seconds", .histogram, "B.") { $0.histogram([("r", "z")], histogram) }
        text.family("c", .gauge, "Nothing.") { _ in }
        text.add("d", .gauge, "D.", -1.5)
        #expect(
            text.text == #"""
                # HELP a_total Line\nand \\ and "quote".
                # TYPE a_total counter
                a_total{x="a\"b\\c\nd",y="é"} 3
                # HELP b_seconds B.
                # TYPE b_seconds histogram
                b_seconds_bucket{r="z",le="0.1"} 2
                b_seconds_bucket{r="z",le="1.0"} 3
                b_seconds_bucket{r="z",le="10.0"} 4
                b_seconds_bucket{r="z",le="+Inf"} 5
                b_seconds_sum{r="z"} 21.65
                b_seconds_count{r="z"} 5
                # HELP d D.
                # TYPE d gauge
                d -1.5

                """#)
        let read = try PrometheusText(text.text)
        #expect(read.value("a_total", ["x": "a\"b\\c\nd", "y": "é"]) == 3)
    }
}
