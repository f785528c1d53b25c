package import JSON

/// The tool table: what each tool takes, what it asks policy for, and what repeating it would do.
package enum ToolCatalogue {
    /// All tools, by name.
    package static let entries: [ToolEntry] = Tool.allCases.map(entry)

    /// What policy is asked before the call. Decides by what is known: an argument that is still open counts as the
    /// stricter one.
    package static func action(tool: Tool, arguments: JSONValue) -> ActionName {
        switch entry(tool).action {
        case .always(let action): action
        case .byMethod: method(arguments).isRead ? .externalRead : .externalWrite
        case .byNetwork: asksNetwork(arguments) ? .externalWrite : .shellExec
        }
    }

    /// The effect of the call, given what the plan's step declares.
    /// Throws a fault at `/effect` (relative to the step) when the step declares less than the tool allows.
    package static func effect(tool: Tool, arguments: JSONValue, declared: Effect?) throws(PlanFault) -> Effect {
        let own = defaultEffect(tool: tool, arguments: arguments)
        guard let declared else { return own }
        if declared >= own || mayDeclareLess(tool: tool, arguments: arguments) { return declared }
        throw PlanFault(
            pointer: "/effect",
            detail: "expected \(own.rawValue) or stricter for \(tool.rawValue) with these arguments,"
                + " found \(declared.rawValue); declare a stricter effect or leave it out")
    }

    /// The effect when the plan declares none.
    package static func defaultEffect(tool: Tool, arguments: JSONValue) -> Effect {
        switch entry(tool).effect {
        case .always(let effect): effect
        case .byMethod: method(arguments).effect
        case .byNetwork: .once
        }
    }

    /// All faults of the arguments of a plan's step, with templates left open. Templates themselves (syntax, roots,
    /// needs) are checked by `Plan.parse`.
    package static func faults(tool: Tool, arguments: JSONValue, at pointer: String) -> [PlanFault] {
        let log = FaultLog()
        check(tool, arguments, at: PlanPointer(pointer), log: log)
        return log.faults
    }

    /// All faults of the arguments of a call: templates other than secrets must be gone (see `Template.resolve`).
    package static func callFaults(tool: Tool, arguments: JSONValue, at pointer: String = "/arguments") -> [PlanFault] {
        let log = FaultLog()
        let place = PlanPointer(pointer)
        check(tool, arguments, at: place, log: log)
        TemplateCheck(tool: tool, log: log).checkResolved(arguments, at: place)
        return log.faults
    }

    /// The line of one tool.
    package static func entry(_ tool: Tool) -> ToolEntry {
        switch tool {
        case .agent: ToolEntry(tool: tool, action: .always(.agentRun), effect: .always(.once), arguments: nil)
        case .approval:
            ToolEntry(tool: tool, action: .always(.approvalRequest), effect: .always(.none), arguments: .approval)
        case .fileList: ToolEntry(tool: tool, action: .always(.dataRead), effect: .always(.none), arguments: .fileList)
        case .fileRead: ToolEntry(tool: tool, action: .always(.dataRead), effect: .always(.none), arguments: .fileRead)
        case .fileWrite:
            ToolEntry(tool: tool, action: .always(.dataWrite), effect: .always(.idempotent), arguments: .fileWrite)
        case .http: ToolEntry(tool: tool, action: .byMethod, effect: .byMethod, arguments: .http)
        case .message:
            ToolEntry(tool: tool, action: .always(.internalWrite), effect: .always(.idempotent), arguments: .message)
        case .model: ToolEntry(tool: tool, action: .always(.modelCall), effect: .always(.none), arguments: nil)
        case .shell: ToolEntry(tool: tool, action: .byNetwork, effect: .byNetwork, arguments: .shell)
        case .sleep: ToolEntry(tool: tool, action: .always(.internalWait), effect: .always(.none), arguments: .sleep)
        }
    }

    private static func check(_ tool: Tool, _ arguments: JSONValue, at pointer: PlanPointer, log: FaultLog) {
        guard let schema = entry(tool).arguments else {
            return log.add(pointer, "tool \(tool.rawValue) is not available yet; use one of \(executedNames)")
        }
        ArgumentCheck(log: log).check(arguments, against: schema, at: pointer)
    }

    /// The names of the tools that the engine executes, for sentences.
    static var executedNames: String {
        entries.filter(\.isExecuted).map(\.tool.rawValue).joined(separator: ", ")
    }

    private static func mayDeclareLess(tool: Tool, arguments: JSONValue) -> Bool {
        entry(tool).effect == .byNetwork && !asksNetwork(arguments)
    }

    private static func asksNetwork(_ arguments: JSONValue) -> Bool {
        guard let network = arguments.objectValue?["network"] else { return false }
        return network != .bool(false)
    }

    /// The method of an `http` call; one that is open or unknown counts as the strictest.
    private static func method(_ arguments: JSONValue) -> RequestMethod {
        arguments.objectValue?["method"]?.stringValue.flatMap(RequestMethod.init(rawValue:)) ?? .post
    }
}
