package import JSON
package import Platform
package import Shared

/// A tool as the engine carries it out. First `prepare`, which changes nothing anywhere; then, with the permit in
/// hand, the prepared call.
package protocol ToolImplementation: Sendable {
    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall
}

/// What a call is given.
package struct ToolInput: Sendable {
    package var runID: RunID
    package var stepID: StepID
    /// Everything resolved, secrets too: nothing of this may be recorded unmasked.
    package var arguments: JSONValue
    package var workdir: Workdir
    package var timeoutMs: Int64?
    package var masker: Masker
    /// Writes to the api for the run; for tools whose effect is there.
    var writer: RunWriter?
    /// What names the call over retries and re-claims.
    var effectKey: String?

    package init(
        runID: RunID, stepID: StepID, arguments: JSONValue, workdir: Workdir, timeoutMs: Int64? = nil,
        masker: Masker = Masker([])
    ) {
        (self.runID, self.stepID, self.arguments, self.workdir) = (runID, stepID, arguments, workdir)
        (self.timeoutMs, self.masker) = (timeoutMs, masker)
    }

    func text(_ name: String) -> String? { arguments[name]?.stringValue }
    func integer(_ name: String) -> Int64? { arguments[name]?.intValue }
    func flag(_ name: String) -> Bool { arguments[name]?.boolValue ?? false }
}

/// A call that only waits for its permit.
package struct PreparedCall: Sendable {
    package struct Permit: Sendable {
        /// How long from now the effect may still be started.
        package var leftMs: Int64
        package var stop: StopSignal

        package init(leftMs: Int64 = 1_000, stop: StopSignal = StopSignal()) {
            (self.leftMs, self.stop) = (leftMs, stop)
        }
    }

    /// The output, masked and capped, or why there is none.
    package var run: @Sendable (Permit) -> Result<JSONObject, ToolFailure>

    package init(run: @escaping @Sendable (Permit) -> Result<JSONObject, ToolFailure>) { self.run = run }
}
