import HTTP
import JSON
import Shared

enum KillCommands {
    static let all: [Command] = [on, off, status]

    private static let killMilliseconds = 30_000

    static let on = Command(
        "kill on", "Stop all external writes, now",
        details: """
            When this returns, no external write can start any more, approved or not. Calls that were let through before
            and have not reported their end are listed as unconfirmed. Runs wait and go on after `aos kill off`.
            """,
        options: [.message, .json],
        examples: [Example("aos kill on -m 'strange mails going out'", "stop first, look later")]
    ) { invocation, session in
        try set(true, invocation, session)
    }

    static let off = Command(
        "kill off", "Let external writes start again", details: "Runs that were held go on by themselves.",
        aliases: ["resume"], options: [.message, .json],
        examples: [Example("aos kill off -m 'was a test'", "lift it")]
    ) { invocation, session in
        try set(false, invocation, session)
    }

    static let status = Command(
        "kill status", "Whether external writes are stopped, by whom and why", options: [.json],
        examples: [Example("aos kill status", "on or off, who, when, why")]
    ) { invocation, session in
        if invocation.has(.json) {
            try session.printAnswer(invocation, Reading(.killSwitch))
        } else {
            show(try session.get(.killSwitch), session)
        }
        return .ok
    }

    private static func set(_ engaged: Bool, _ invocation: Invocation, _ session: Session) throws -> ExitCode {
        let answer = try session.call(
            .setKillSwitch, SetKillSwitch(engaged: engaged, reason: invocation[.message]),
            milliseconds: killMilliseconds)
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            show(answer, session)
        }
        guard !engaged, answer.engaged else { return .ok }
        throw Failure(
            .failed, "the kill switch stays on: the environment has engaged it",
            next: [
                "take POLICY_KILL_SWITCH_EXTERNAL_WRITE out of the api's environment file, then reload it"
            ])
    }

    private static func show(_ answer: KillSwitchAnswer, _ session: Session) {
        var facts = Facts()
        let state = answer.killSwitch
        facts.add(
            "kill switch", answer.engaged ? "on" : "off",
            shown: answer.engaged ? "ON: no external write starts" : "off", answer.engaged ? .boldRed : .green)
        if answer.engaged {
            let sources = [(state.engagedByOperator, "operator"), (state.engagedByEnvironment, "environment")]
            facts.add("engaged by", sources.filter(\.0).map(\.1).joined(separator: ", "))
        }
        facts.add("changed by", state.changedByID.map { "\(state.changedByType?.rawValue ?? "user"):\($0)" })
        facts.add(
            "changed", state.changedAt?.description,
            shown: state.changedAt.map { "\($0)  \(Amounts.age($0, now: session.now))" })
        facts.add("reason", state.reason)
        for call in answer.unconfirmed {
            facts.add(
                "unconfirmed", call.rawValue, shown: "\(call)  was let through before, has not reported its end",
                .yellow)
        }
        session.print(facts)
    }
}
