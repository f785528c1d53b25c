import APIClient
import JSON
import Platform
package import Shared

/// What everything that works on one run shares.
struct RunContext: Sendable {
    let held: HeldRun
    let plan: Plan
    let workdir: Workdir
    let writer: RunWriter
    let tools: ToolBox
    let secrets: [String: String]
    let masker: Masker
    let clock: any Clock
    let entropy: any Entropy
    let log: Log
    /// Whether this engine has been told to let nothing out.
    let isKillSwitchEngaged: @Sendable () -> Bool
    /// Steps whose output another step's templates name.
    let referenced: Set<PlanStepID>

    var runID: RunID { held.id }
}

/// The tools by name.
package struct ToolBox: Sendable {
    private let tools: [Tool: any ToolImplementation]

    package init(_ tools: [Tool: any ToolImplementation]) { self.tools = tools }

    package subscript(_ tool: Tool) -> (any ToolImplementation)? { tools[tool] }
}
