import HTTP
import Shared

enum StatusCommand {
    static let all: [Command] = [status]

    private static let countedMax = 200

    static let status = Command(
        "status", "What is going on, at a glance", options: [.json],
        examples: [Example("aos status", "the api, the kill switch, runs, approvals, engines")]
    ) { invocation, session in
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.health))
            return .ok
        }
        let health = try session.get(.health)
        var facts = Facts()
        facts.add("api", try session.connection().url, .bold)
        facts.add("version", health.version)
        if health.draining { facts.add("state", "draining", .yellow) }
        let isEnforced = health.enforcementMode == .enforce
        facts.add(
            "mode", health.enforcementMode.rawValue,
            shown: isEnforced ? "enforce" : "SHADOW: policy is recorded and not enforced",
            isEnforced ? .plain : .boldYellow)
        facts.add(
            "kill switch", health.killSwitch ? "on" : "off",
            shown: health.killSwitch ? "ON: no external write starts (aos kill status)" : "off",
            health.killSwitch ? .boldRed : .plain)
        for status in [RunStatus.running, .queued, .waiting] {
            let list = try session.get(
                .runs, query: [("status", status.rawValue), ("limit", String(countedMax))])
            let count = "\(list.runs.count)\(list.nextCursor == nil ? "" : "+")"
            facts.add("runs \(status.rawValue)", count, list.runs.isEmpty ? .dim : RunCommands.style(status))
        }
        let approvals = try session.get(.approvals, query: [("status", "pending"), ("limit", String(countedMax))])
        let count = approvals.approvals.count
        let countText = "\(count)\(approvals.nextCursor == nil ? "" : "+")"
        facts.add(
            "approvals", countText, shown: count == 0 ? "none wait" : "\(countText) wait for you: aos approvals",
            count == 0 ? .dim : .boldYellow)
        let engines = try session.get(.engines).engines.filter { $0.status == .active }
        facts.add("engines", String(engines.count), engines.isEmpty ? .yellow : .plain)
        session.print(facts)
        return health.ok ? .ok : .failed
    }
}
