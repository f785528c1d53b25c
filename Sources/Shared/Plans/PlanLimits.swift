/// Hard stops for a whole run. Time counts while the run is running, not while it waits.
package struct PlanLimits: Hashable, Sendable {
    package static let timeoutMsRange = 1...86_400_000
    package static let parallelRange = 1...16
    package static let toolCallsRange = 1...10_000

    package var timeoutMs = 3_600_000
    package var maxParallel = 2
    package var maxToolCalls = 200

    package init() {}
}
