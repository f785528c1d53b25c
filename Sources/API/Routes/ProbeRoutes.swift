import HTTP
import HTTPServer
import JSON
import Platform
import Shared

/// What orchestrators and scrapers ask: liveness, readiness, version, metrics.
struct ProbeRoutes: Sendable {
    let metrics: Metrics
    let sources: Metrics.Sources
    let pulse: WriterPulse
    /// The migrations that the file has; asking reads from it.
    let schemaVersion: @Sendable () throws -> Int
    let metricsAccess: Access

    func mount(on routes: inout RouteTable) {
        routes.raw(.livez, .anyone) { context in Self.answer([], context) }
        routes.raw(.readyz, .anyone) { context in Self.answer(readiness(), context) }
        routes.get(.version, .anyone) { _ in VersionAnswer(version: ReleaseVersion.text) }
        routes.raw(.metrics, metricsAccess) { _ in try scrape() }
    }

    private func readiness() -> [ProbeAnswer.Check] {
        var readFault: String?
        var migrationFault: String?
        do {
            let (applied, known) = (try schemaVersion(), Storage.migrations.count)
            if applied != known { migrationFault = "the database has \(applied) of \(known) migrations" }
        } catch {
            // What exactly is in the log; a probe is answered to anybody.
            readFault = "the database cannot be read"
            sources.environment.log.error("the database cannot be read", ["error": .text("\(error)")])
        }
        let writeFault = pulse.fault(nowMs: sources.environment.clock.monotonicMilliseconds())
        let drainFault = sources.isDraining() ? "the api is being stopped" : nil
        return [
            ("database_readable", readFault), ("database_writable", writeFault), ("migrations", migrationFault),
            ("not_draining", drainFault),
        ].map { name, fault in ProbeAnswer.Check(name: name, ok: fault == nil, detail: fault) }
    }

    private static func answer(_ checks: [ProbeAnswer.Check], _ context: RequestContext) -> Reply {
        let answer = ProbeAnswer(checks: checks)
        let status: HTTPStatus = answer.ok ? .ok : .serviceUnavailable
        let accepts = context.request.fields[.accept] ?? ""
        // `?verbose` has no value, so it is there or not.
        if context.request.target.queryValue(QueryParameter.verbose.name) != nil
            || accepts.lowercased().contains("application/json"),
            let response = try? Answers.json(answer, status)
        {
            return .now(response)
        }
        let failing = checks.filter { !$0.ok }.map(\.name).joined(separator: " ")
        let fields: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
        return .now(HTTPResponse(status, fields: fields, body: Array((answer.ok ? "ok\n" : "\(failing)\n").utf8)))
    }

    private func scrape() throws -> Reply {
        .now(
            HTTPResponse(
                .ok, fields: [.contentType: MetricsText.mediaType, .cacheControl: "no-store"],
                body: Array(try metrics.text(sources).utf8)))
    }
}
