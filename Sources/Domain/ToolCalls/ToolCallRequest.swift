package import JSON
package import Shared

/// What a call is, derived by us: the caller's word is checked, never taken.
package struct ToolCallRequest: Sendable {
    package var toolName: String
    package var title: String?
    package var input: JSONValue
    package var action: ActionName
    package var effect: Effect
    package var effectKey: String?
    package var argsHash: String
    package var tryNo: Int

    /// - Parameter argsHash: Of ``hashed(_:_:)``.
    package init(
        _ request: RequestToolCall, step: Step, run: Run, argsHash: String
    ) throws(Rejection) {
        toolName = try Limits.require(
            request.toolName, "tool_name", bytesMax: Limits.nameBytesMax, .missingToolName)
        title = request.title
        input = request.input ?? [:]
        let ordinal = request.ordinal ?? 1
        tryNo = request.tryNo ?? 1
        // The calls of a plan's step are the same over retries and re-claims; others have no such name.
        effectKey = step.planStepID.map { "\(run.runID)/\($0)/\(ordinal)" }
        self.argsHash = argsHash
        let isPlanned = run.hasPlan || step.planStepID != nil
        if isPlanned, let tool = Tool(rawValue: toolName), ToolCatalogue.entry(tool).isExecuted {
            (action, effect) = try Self.derive(tool, input, declared: request.effect)
        } else {
            // `tool.call.` is for outside executors of runs without a plan; in a plan's run it would be a way around the
            // table, so what the table does not execute has an action that no rule knows.
            let name = run.hasPlan ? "tool.unknown.\(toolName)" : "tool.call.\(toolName)"
            (action, effect) = (ActionName(rawValue: name), request.effect ?? .once)
        }
        if let claimed = request.action, claimed != action.rawValue {
            throw Rejection(
                .actionMismatch, "action: these arguments make it \(action), the caller says \(claimed.prefix(100))",
                details: ["field": "action", "expected": .string(action.rawValue)])
        }
    }

    private static func derive(
        _ tool: Tool, _ input: JSONValue, declared: Effect?
    ) throws(Rejection) -> (ActionName, Effect) {
        if let fault = ToolCatalogue.callFaults(tool: tool, arguments: input, at: "/input").first {
            throw Rejection(
                .invalidField, "\(fault.pointer): \(fault.detail)", details: ["field": .string(fault.pointer)])
        }
        do throws(PlanFault) {
            let effect = try ToolCatalogue.effect(tool: tool, arguments: input, declared: declared)
            return (ToolCatalogue.action(tool: tool, arguments: input), effect)
        } catch {
            throw Rejection(.actionMismatch, error.detail, details: ["field": "effect"])
        }
    }

    /// The bytes that `args_hash` covers: what an approval is bound to (RFC 8785).
    package static func hashed(_ toolName: String?, _ input: JSONValue?) -> [UInt8] {
        JSON.canonical(["tool": .string(toolName ?? ""), "arguments": input ?? [:]])
    }
}
