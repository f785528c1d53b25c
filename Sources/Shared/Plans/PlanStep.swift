package import JSON

/// One step of a plan, with its defaults filled in.
package struct PlanStep: Hashable, Sendable {
    package static let titleScalarsMax = 200
    package static let timeoutMsRange = 1...86_400_000
    package static let artifactsMax = 50

    package let id: PlanStepID
    package let tool: Tool
    package let title: String?
    /// The tool's arguments, templates still in them. Always an object.
    package let arguments: JSONValue
    package let needs: [PlanStepID]
    package let when: StepCondition
    package let retry: Retry
    /// For each attempt; nil means that only the run's own timeout holds.
    package let timeoutMs: Int?
    /// What the plan declares; `ToolCatalogue.effect` says what holds.
    package let declaredEffect: Effect?
    package let artifacts: [PlanArtifact]
    package let continueOnError: Bool

    /// The effect of a call with these resolved arguments.
    package func effect(of resolved: JSONValue) throws(PlanFault) -> Effect {
        try ToolCatalogue.effect(tool: tool, arguments: resolved, declared: declaredEffect)
    }
}

/// When a step whose needs have all ended runs; `StepGraph` holds the table.
package enum StepCondition: String, CaseIterable, Codable, Hashable, Sendable {
    case success
    case failure
    case always
}
