import HTTP
import JSON
import Shared

enum ApprovalCommands {
    static let all: [Command] = [list, view, approve, deny, hold]

    static let list = Command(
        "approvals", "What waits for your decision",
        details: """
            Pending and put off, latest change first; with --all also what is decided, used up or expired.
            """,
        aliases: ["approval list", "approval ls", "approvals list", "approvals ls"], options: [.all, .limit, .json],
        examples: [
            Example("aos approvals", "what waits"),
            Example("aos approvals | cut -f1 | xargs -n1 aos approval view", "each in full"),
        ]
    ) { invocation, session in
        let limit = invocation.integer(.limit) ?? 50
        if invocation.has(.all) {
            let reading = Reading(Endpoint.approvals)
            if invocation.has(.json) {
                try session.printAnswer(invocation, reading, limit: limit)
            } else {
                print(try session.rows(reading, limit: limit) { $0.approvals }, session)
            }
            return .ok
        }
        var answers: [JSONValue] = []
        for status in [ApprovalStatus.pending, .held] {
            let query = [("status", status.rawValue), ("limit", String(min(limit, Session.pageMax)))]
            let answer = try JSON.parse(session.bytes(Endpoint.approvals, query: query), limits: Session.answerLimits)
            answers += answer["approvals"]?.arrayValue ?? []
        }
        if invocation.has(.json) {
            try session.printJSON(
                invocation, ["approvals": .array(answers), "next_cursor": nil], as: ApprovalList.self)
            return .ok
        }
        let approvals = try answers.map { try JSON.decode(Approval.self, from: $0) }
        print(approvals.sorted { $0.updatedAt > $1.updatedAt }.prefix(limit).map(\.self), session)
        if let first = approvals.first {
            session.advise(
                "look closer: aos approval view \(first.approvalID)   decide: aos approve ID, aos deny ID -m REASON")
        }
        return .ok
    }

    private static func print(_ approvals: [Approval], _ session: Session) {
        session.print(
            Table(
                [
                    .init("APPROVAL"), .init("STATUS"), .init("ACTION"), .init("WHAT", isFlexible: true),
                    .init("TITLE", isFlexible: true), .init("ASKED"), .init("EXPIRES"),
                ],
                approvals.map { approval in
                    [
                        Table.Cell(approval.approvalID.rawValue), Table.Cell(word(approval), style(approval)),
                        Table.Cell(approval.action), Table.Cell(what(approval), .bold),
                        Table.Cell(approval.title ?? ""), session.age(approval.requestedAt),
                        session.age(approval.expiresAt),
                    ]
                }), ifEmpty: "nothing waits for you")
    }

    /// The exact act, in short; the title is only what somebody calls it.
    private static func what(_ approval: Approval) -> String {
        guard let tool = approval.request["tool"]?.stringValue else {
            return approval.request == [:] ? "" : ToolSummary.compact(approval.request)
        }
        return ToolSummary.arguments(tool, approval.request["arguments"])
    }

    private static func word(_ approval: Approval) -> String {
        approval.status == .approved && approval.consumedAt != nil ? "used" : approval.status.rawValue
    }

    private static func style(_ approval: Approval) -> Style {
        switch approval.status {
        case .pending: .yellow
        case .held: .dim
        case .approved: .green
        case .denied, .expired: .red
        }
    }

    static let view = Command.view(
        "approval view", "One approval: exactly what would happen", aliases: ["approval show"], argument: .approval,
        examples: [Example("aos approval view appr_01KQ", "the exact arguments, before you decide")],
        reading: { text, session in Reading(.approval, ["approval_id": try session.approvalID(text).rawValue]) },
        show: { answer, session in show(answer.approval, session) })

    private static func show(_ approval: Approval, _ session: Session) {
        session.print(facts(approval, session))
        let (console, id) = (session.console, approval.approvalID)
        guard console.output.isTerminal else { return }
        console.print("\n" + console.output.styled("exactly this:", .dim))
        console.print(CleanText.escapedJSON(JSON.pretty(approval.request)))
        if approval.status == .pending || approval.status == .held {
            console.print()
            console.print(console.output.styled("aos approve \(id)", .bold))
            console.print(console.output.styled("aos deny \(id) -m REASON", .bold))
            session.advise("When nobody decides, it expires and the step fails; nothing is done.")
        }
    }

    private static func facts(_ approval: Approval, _ session: Session) -> Facts {
        var facts = Facts()
        func time(_ name: String, _ time: Timestamp?) {
            facts.add(name, time?.description, shown: time.map { "\($0)  \(Amounts.age($0, now: session.now))" })
        }
        facts.add("approval", approval.approvalID.rawValue, .bold)
        facts.add("status", word(approval), style(approval))
        facts.add("title", approval.title)
        facts.add("action", approval.action)
        facts.add("what", what(approval), .bold)
        facts.add("rule", approval.context["rule_id"]?.stringValue)
        facts.add("step", approval.context["plan_step_id"]?.stringValue)
        facts.add("run", approval.runID?.rawValue)
        facts.add("asked by", "\(approval.requestedByType.rawValue):\(approval.requestedByID)")
        time("asked", approval.requestedAt)
        time("expires", approval.expiresAt)
        facts.add(
            "reach", approval.scope.map { $0.type == .once ? "once, for exactly these arguments" : $0.type.rawValue })
        facts.add("arguments", approval.scope?.argsHash)
        facts.add("decided by", approval.decidedByID.map { "\(approval.decidedByType?.rawValue ?? "user"):\($0)" })
        time("decided", approval.decidedAt)
        facts.add("reason", approval.decisionReason)
        time("used", approval.consumedAt)
        if !session.console.output.isTerminal {
            facts.add("request", String(decoding: approval.request.jsonBytes, as: UTF8.self))
        }
        return facts
    }

    static let approve = Command(
        "approve", "Allow exactly what was asked",
        details: """
            Once, for exactly these arguments, until it expires. A run that waits for it goes on by itself.
            """,
        aliases: ["approval approve"], arguments: [.approval], options: [.message, .json],
        examples: [Example("aos approve appr_01KQ -m 'checked the report'", "with a reason, kept in the history")]
    ) { invocation, session in
        try decide(.approve, invocation, session)
    }

    static let deny = Command(
        "deny", "Refuse what was asked", details: "The step fails with the reason; nothing is done.",
        aliases: ["approval deny"], arguments: [.approval], options: [.message, .json],
        examples: [Example("aos deny appr_01KQ -m 'not on a Friday'", "the reason reaches the run")]
    ) { invocation, session in
        try decide(.deny, invocation, session)
    }

    static let hold = Command(
        "approval hold", "Put off what was asked", details: "It goes on waiting, until it expires or somebody decides.",
        aliases: ["hold"], arguments: [.approval], options: [.message, .json],
        examples: [Example("aos approval hold appr_01KQ -m 'after the meeting'", "decide later")]
    ) { invocation, session in
        try decide(.hold, invocation, session)
    }

    private static func decide(
        _ decision: ApprovalDecision, _ invocation: Invocation, _ session: Session
    ) throws -> ExitCode {
        let id = try session.approvalID(invocation[.approval])
        let body = DecideApproval(decision: decision.rawValue, reason: invocation[.message])
        let answer = try session.call(.decideApproval, body, ["approval_id": id.rawValue])
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
            return .ok
        }
        let word =
            switch decision {
            case .approve: "approved"
            case .deny: "denied"
            case .hold: "held"
            }
        session.console.print(Table.tabbed([id.rawValue, word]))
        guard session.console.error.isTerminal else { return .ok }
        // What comes next is for people; the decision stands without it.
        if let run = (try? session.get(.approval, ["approval_id": id.rawValue]))?.approval.runID {
            session.advise("look on: aos logs -f \(run)")
        }
        return .ok
    }
}
