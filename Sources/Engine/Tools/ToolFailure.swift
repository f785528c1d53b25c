package import JSON
package import Platform

/// Why a call did not do what it was asked.
package struct ToolFailure: Error, Sendable, Hashable {
    /// Stable, snake_case.
    package var code: String
    /// One sentence.
    package var message: String
    /// Whether another try may help.
    package var isRetryable: Bool
    /// Whether the effect may have happened all the same; matters only where it must not happen twice.
    package var isUncertain = false
    /// Whether it is sure that nothing was started.
    package var isBeforeStart = false
    /// Set when it was told to stop.
    package var stopped: StopSignal.Cause?
    package var details: JSONObject

    package init(
        _ code: String, _ message: String, retryable: Bool = false, uncertain: Bool = false, beforeStart: Bool = false,
        stopped: StopSignal.Cause? = nil, details: JSONObject = [:]
    ) {
        (self.code, self.message, isRetryable, isUncertain) = (code, message, retryable, uncertain)
        (isBeforeStart, self.stopped, self.details) = (beforeStart, stopped, details)
    }

    /// Reads back what ``json`` wrote.
    package init(recorded: JSONValue) {
        let code = recorded["code"]?.stringValue ?? "tool_failed"
        self.init(
            code, recorded["message"]?.stringValue ?? "the call failed",
            retryable: recorded["retryable"]?.boolValue ?? false,
            beforeStart: recorded["not_started"]?.boolValue ?? false,
            details: recorded.objectValue ?? [:])
    }

    package static func stopped(_ cause: StopSignal.Cause, uncertain: Bool = false) -> ToolFailure {
        switch cause {
        case .lost: ToolFailure("lease_lost", "the lease was lost", uncertain: uncertain, stopped: cause)
        case .cancelled:
            ToolFailure("cancelled", "the run was cancelled; it was stopped", uncertain: uncertain, stopped: cause)
        case .drained:
            ToolFailure(
                "engine_stopped", "the engine had to stop; it was stopped", uncertain: uncertain, stopped: cause)
        case .limit:
            ToolFailure(
                "run_limit", "a limit of the run was reached; it was stopped", uncertain: uncertain, stopped: cause)
        }
    }

    package var json: JSONValue { json(isUnknown: false) }

    package func json(isUnknown: Bool) -> JSONValue {
        var members: JSONObject = ["code": .string(code), "message": .string(message), "retryable": .bool(isRetryable)]
        if isUnknown {
            (members["unknown"], members["cause"], members["code"]) = (true, .string(code), "outcome_unknown")
        }
        if isBeforeStart { members["not_started"] = true }
        for (name, value) in details where members[name] == nil { members[name] = value }
        return .object(members)
    }
}
