import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// Health and the kill switch.
struct SystemRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus
    let permits: PermitBook
    let isDraining: @Sendable () -> Bool

    func mount(on routes: inout RouteTable) {
        routes.get(.health, .anyone, health)
        routes.get(.killSwitch, .engine(action: "run.execute"), killSwitch)
        routes.on(.setKillSwitch, .machineOperator, setKillSwitch)
    }

    @Sendable private func health(_ context: RequestContext) -> Health {
        let state = try? environment.database.read { try KillSwitchTable.state($0) }
        return Health(
            ok: state != nil && !isDraining(), ts: state == nil ? nil : context.now, version: ReleaseVersion.text,
            enforcementMode: environment.enforcementMode, killSwitch: state?.isEngaged ?? true, draining: isDraining())
    }

    // MARK: Kill switch

    private static let unconfirmedMax = 200

    @Sendable private func killSwitch(_ context: RequestContext) throws -> KillSwitchAnswer {
        try environment.database.read { try Self.answer(context, $0) }
    }

    /// The switch is the machine's, and so is what the operator sees; others see the calls of their workspace.
    private static func answer(
        _ context: RequestContext, _ transaction: any ReadTransaction
    ) throws -> KillSwitchAnswer {
        let state = try KillSwitchTable.state(transaction)
        let running = try ToolCallTable.runningExternal(
            in: context.caller.isOperator ? nil : context.workspace, limit: unconfirmedMax, transaction)
        return KillSwitchAnswer(
            engaged: state.isEngaged, killSwitch: state,
            unconfirmed: state.isEngaged ? running.map(\.toolCallID) : [])
    }

    @Sendable private func setKillSwitch(_ body: SetKillSwitch, _ context: RequestContext) throws -> Reply {
        guard let engaged = body.engaged else {
            throw Rejection.field("engaged", .missingField, "engaged is required: true or false")
        }
        // Not replayable: "stopped" is true when it is said, not because it was said before.
        return commands.run(context, isReplayable: false) { work in
            let state = try KillSwitchTable.state(work.transaction)
            let facts = CommandFacts(actor: context.actor, now: work.now)
            let events = try KillSwitchDecider.set(
                state, engaged, source: .operator, reason: body.reason, correlationID: context.correlationID, facts)
            try work.record(events)
            if !engaged, try !KillSwitchTable.state(work.transaction).isEngaged { try work.settleHalts() }
            let response = try Answers.json(Self.answer(context, work.transaction))
            guard engaged else { return .init(response: response) }
            // "Stopped" is said only when no permit that is out can start anything any more.
            let turnsOfOthers = work.transaction.turnsOfOthers
            return .init(response: response) { [permits, environment] deferred, response in
                let nowMs = environment.clock.monotonicMilliseconds()
                permits.whenQuiet(nowMs: nowMs, turnsOfOthers: turnsOfOthers) {
                    let latest = try? environment.database.read { try Answers.json(Self.answer(context, $0)) }
                    var answer = response
                    if let latest { answer.body = latest.body }
                    deferred.complete(answer)
                }
                return false
            }
        }
    }

}
