package import JSON

/// What a run shall do: its steps in order, where they work, and how far they may go.
package struct Plan: Hashable, Sendable {
    package static let version = 1
    package static let bytesMax = 256 * 1024
    package static let stepsMax = 200

    package let workdir: PlanWorkdir
    package let limits: PlanLimits
    package let steps: [PlanStep]

    /// Reads the value of `input.plan`. Fails with all faults (up to `PlanFaults.faultsMax`), their pointers relative
    /// to the run's input.
    package static func parse(_ value: JSONValue) -> Result<Plan, PlanFaults> {
        PlanParser().parse(value)
    }

    /// The step with this id.
    package func step(_ id: PlanStepID) -> PlanStep? { steps.first { $0.id == id } }

    /// The names of all secrets that the plan refers to, sorted, to be looked up before anything is dispatched.
    package var secretNames: [String] {
        var names: Set<String> = []
        for step in steps {
            for case .secret(let name) in Template.references(in: step.arguments) { names.insert(name) }
        }
        return names.sorted()
    }
}
