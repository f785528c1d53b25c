/// The scheduling core of a run: which steps start, which are skipped, and how the run ends. It holds no state.
///
/// A need is *met* when it succeeded, or failed with `continue_on_error`. A *failure* is a failed step without
/// `continue_on_error`. A cancelled step counts as a failed one. Nothing is decided about a step before all its needs
/// have ended, so when a step has ended, all that it needs directly or indirectly has ended too. Then:
///
/// | `when`    | every need met    | a need failed, or was skipped because of a failure | a need was skipped otherwise |
/// |-----------|-------------------|----------------------------------------------------|------------------------------|
/// | `success` | start (but below) | skip `need_failed`; start if every need is met     | skip `need_skipped`          |
/// | `failure` | skip `not_needed` | start                                              | skip `not_needed`            |
/// | `always`  | start             | start                                              | start                        |
///
/// - A `success` step with a failure anywhere among what it needs, directly or indirectly, is skipped `need_failed`,
///   also when its own needs are clean-ups that succeeded. Elsewhere in the plan steps go on.
/// - For `failure` a need that failed with `continue_on_error` did fail: the clean-up runs, and so do the `success`
///   steps beside it. A clean-up of a clean-up runs only when that one failed.
///
/// | stop                      | `success`            | `failure`                                 | `always` |
/// |---------------------------|----------------------|-------------------------------------------|----------|
/// | none                      | as above             | as above                                  | as above |
/// | limit                     | skip `run_limit`     | as above; a skip by the limit is a failure | as above |
/// | cancel                    | skip `run_cancelled` | skip `run_cancelled`                      | as above |
/// | either, grace period over | skip                 | skip                                      | skip     |
///
/// | outcome     | when every step has ended                                         |
/// |-------------|-------------------------------------------------------------------|
/// | `cancelled` | the stop is a cancel                                              |
/// | `failed`    | the stop is a limit, or a step without `continue_on_error` failed |
/// | `succeeded` | else                                                              |
///
/// Running steps finish on their own; only running ones count against `max_parallel`, waiting ones do not. On a stop
/// it is the caller who ends running and waiting steps.
package struct StepGraph: Sendable {
    private let nodes: [Node]
    private let order: [Int]
    private let maxParallel: Int

    package init(_ plan: Plan) {
        self.init(steps: plan.steps, maxParallel: plan.limits.maxParallel)
    }

    /// The needs must be acyclic and known, as `Plan.parse` makes sure.
    private init(steps: [PlanStep], maxParallel: Int) {
        let places = Dictionary(uniqueKeysWithValues: steps.enumerated().map { ($1.id, $0) })
        nodes = steps.map { step in
            Node(
                id: step.id, needs: step.needs.map { places[$0]! }, when: step.when,
                continueOnError: step.continueOnError)
        }
        order = Self.sorted(nodes)
        self.maxParallel = maxParallel
    }

    /// What is to be done next. A step that is not in `states` is queued.
    package func next(_ states: [PlanStepID: StepStatus], stop: RunStop? = nil) -> Schedule {
        var pass = Pass(nodes: nodes, states: nodes.map { states[$0.id] ?? .queued }, stop: stop)
        for index in order { pass.visit(index) }
        return pass.schedule(maxParallel: maxParallel)
    }

    /// Every node after its needs.
    private static func sorted(_ nodes: [Node]) -> [Int] {
        var order: [Int] = []
        var placed = [Bool](repeating: false, count: nodes.count)
        while order.count < nodes.count {
            let ready = nodes.indices.filter { index in !placed[index] && nodes[index].needs.allSatisfy { placed[$0] } }
            precondition(!ready.isEmpty, "the needs of a parsed plan are acyclic")
            for index in ready { placed[index] = true }
            order += ready
        }
        return order
    }
}

private struct Node: Sendable {
    let id: PlanStepID
    let needs: [Int]
    let when: StepCondition
    let continueOnError: Bool
}

/// One walk over the graph, needs first.
private struct Pass {
    let nodes: [Node]
    var states: [StepStatus]
    let stop: RunStop?
    /// Whether a failure lies at or above the node.
    private var isTainted: [Bool]
    /// Whether the node was skipped because of a failure.
    private var isSkippedByFailure: [Bool]
    private var ready: [Int] = []
    private var skips: [Schedule.Skip] = []

    init(nodes: [Node], states: [StepStatus], stop: RunStop?) {
        self.nodes = nodes
        self.states = states
        self.stop = stop
        isTainted = Array(repeating: false, count: nodes.count)
        isSkippedByFailure = Array(repeating: false, count: nodes.count)
    }

    mutating func visit(_ index: Int) {
        let node = nodes[index]
        let isBehindFailure = node.needs.contains { isTainted[$0] }
        if states[index] == .queued, node.needs.allSatisfy({ states[$0].isTerminal }) {
            switch verdict(node, isBehindFailure: isBehindFailure) {
            case .start: ready.append(index)
            case .skip(let reason):
                states[index] = .skipped
                skips.append(Schedule.Skip(step: node.id, reason: reason))
            }
        }
        isTainted[index] = isBehindFailure || isFailure(index)
        isSkippedByFailure[index] =
            states[index] == .skipped && node.when == .success && (isBehindFailure || stop?.cause == .limit)
    }

    func schedule(maxParallel: Int) -> Schedule {
        let running = states.count { $0 == .running }
        let start = ready.sorted().prefix(max(0, maxParallel - running)).map { nodes[$0].id }
        let isIdle = stop == nil && running == 0 && start.isEmpty
        return Schedule(
            start: start, skip: skips, outcome: outcome, isParked: isIdle && states.contains(.waiting))
    }

    private enum Verdict {
        case start
        case skip(SkipReason)
    }

    private func verdict(_ node: Node, isBehindFailure: Bool) -> Verdict {
        if let reason = stopReason(node.when) { return .skip(reason) }
        switch node.when {
        case .always: return .start
        case .failure: return node.needs.contains(where: callsForCleanUp) ? .start : .skip(.notNeeded)
        case .success:
            if isBehindFailure { return .skip(.needFailed) }
            return node.needs.allSatisfy(isMet) ? .start : .skip(.needSkipped)
        }
    }

    /// Why a stop keeps a step from starting, if it does.
    private func stopReason(_ when: StepCondition) -> SkipReason? {
        guard let stop else { return nil }
        switch (stop.cause, when) {
        case (.cancel, .success), (.cancel, .failure): return .runCancelled
        case (.limit, .success): return .runLimit
        case (.cancel, .always): return stop.isGraceOver ? .runCancelled : nil
        case (.limit, .failure), (.limit, .always): return stop.isGraceOver ? .runLimit : nil
        }
    }

    private func isMet(_ need: Int) -> Bool {
        states[need] == .succeeded || (hasFailed(need) && nodes[need].continueOnError)
    }

    private func callsForCleanUp(_ need: Int) -> Bool { hasFailed(need) || isSkippedByFailure[need] }

    private func isFailure(_ index: Int) -> Bool { hasFailed(index) && !nodes[index].continueOnError }

    private func hasFailed(_ index: Int) -> Bool { states[index] == .failed || states[index] == .cancelled }

    private var outcome: PlanOutcome? {
        guard states.allSatisfy(\.isTerminal) else { return nil }
        switch stop?.cause {
        case .cancel: return .cancelled
        case .limit: return .failed
        case nil: return nodes.indices.contains(where: isFailure) ? .failed : .succeeded
        }
    }
}
