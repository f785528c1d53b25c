package import APIClient
import HTTP
import JSON
package import Platform
import Shared

/// What an engine has for all its runs.
package struct WorkerParts: Sendable {
    package var client: APIClient
    package var tools: ToolBox
    package var secrets: SecretStore
    /// What must never show in an output, besides the secrets a plan names.
    package var ownSecrets: [String]
    package var workFolder: String
    /// Folders of the product that are no workdir.
    package var hidden: [String]
    package var clock: any Clock
    package var entropy: any Entropy
    package var log: Log
    package var isKillSwitchEngaged: @Sendable () -> Bool

    package init(
        client: APIClient, tools: ToolBox, secrets: SecretStore, ownSecrets: [String] = [], workFolder: String,
        hidden: [String] = [], clock: any Clock, entropy: any Entropy, log: Log,
        isKillSwitchEngaged: @escaping @Sendable () -> Bool = { false }
    ) {
        (self.client, self.tools, self.secrets, self.ownSecrets) = (client, tools, secrets, ownSecrets)
        (self.workFolder, self.hidden, self.clock, self.entropy) = (workFolder, hidden, clock, entropy)
        (self.log, self.isKillSwitchEngaged) = (log, isKillSwitchEngaged)
    }
}

/// Carries out one claimed run, from its claim to its end, its parking, or the loss of its lease.
package struct RunExecutor: Sendable {
    package enum End: String, Sendable { case succeeded, failed, cancelled, parked, released, lost }

    /// What clean-ups get after a cancel or a limit.
    static let cleanUpMs: Int64 = 10_000
    static let summaryStepsMax = 20

    private let held: HeldRun
    private let parts: WorkerParts
    private let writer: RunWriter

    package init(_ held: HeldRun, _ parts: WorkerParts) {
        (self.held, self.parts) = (held, parts)
        writer = RunWriter(client: parts.client, held: held, entropy: parts.entropy, log: parts.log)
    }

    package func execute() -> End {
        let end: End
        do throws(RunWriter.Failure) {
            end = try run()
        } catch {
            if case .refused(let problem, _) = error { held.lose("\(problem.reasonCode): \(problem.detail)") }
            end = .lost
        }
        parts.log.info(
            "run_left",
            [
                "run": .text(held.id.rawValue), "end": .text(end.rawValue),
                "attempt": .number(Int64(held.run.attemptNo)),
                "reason": .text(held.lostReason ?? "-"),
            ])
        return end
    }

    private func run() throws(RunWriter.Failure) -> End {
        let plan: Plan
        switch Plan.parse(held.run.input["plan"] ?? nil) {
        case .success(let parsed): plan = parsed
        case .failure(let faults):
            let first = faults.faults.first.map { "\($0.pointer): \($0.detail)" } ?? "it cannot be read"
            return try fail(ToolFailure("plan_invalid", "the plan is invalid: \(first)"))
        }
        let context: RunContext
        let known: [PlanStepID: StepExecutor.Known]
        do throws(ToolFailure) {
            let secrets = try secrets(plan)
            let workdir = try Workdir.open(
                plan.workdir, run: held.id, workFolder: parts.workFolder, hidden: parts.hidden)
            known = try history()
            context = RunContext(
                held: held, plan: plan, workdir: workdir, writer: writer, tools: parts.tools, secrets: secrets,
                masker: Masker(Array(secrets.values) + parts.ownSecrets + [held.run.claimToken]), clock: parts.clock,
                entropy: parts.entropy, log: parts.log,
                isKillSwitchEngaged: parts.isKillSwitchEngaged, referenced: Self.referenced(plan))
        } catch {
            if held.isLost { throw .lost }
            return try fail(error)
        }
        var loop = RunLoop(context: context, known: known, runningMs: held.run.runningMs)
        return try conclude(loop.run(), context)
    }

    private func secrets(_ plan: Plan) throws(ToolFailure) -> [String: String] {
        var secrets: [String: String] = [:]
        for name in plan.secretNames { secrets[name] = try parts.secrets.value(name) }
        return secrets
    }

    /// What earlier claims of the run have done.
    private func history() throws(ToolFailure) -> [PlanStepID: StepExecutor.Known] {
        do throws(RunWriter.Failure) {
            let steps = try writer.send(.steps, Nothing(), ["run_id": held.id.rawValue]).answer.steps
            var calls: [ToolCall] = []
            if !steps.isEmpty {
                var cursor: String?
                repeat {
                    var query = [("run_id", held.id.rawValue), ("limit", "200")]
                    if let cursor { query.append(("cursor", cursor)) }
                    let page = try writer.send(.toolCalls, Nothing(), query: query).answer
                    calls += page.toolCalls
                    cursor = page.nextCursor
                } while cursor != nil
            }
            var known: [PlanStepID: StepExecutor.Known] = [:]
            for step in steps {
                guard let id = step.planStepID.flatMap({ PlanStepID(rawValue: $0) }) else { continue }
                known[id] = StepExecutor.Known(step: step, call: calls.first { $0.stepID == step.stepID })
            }
            return known
        } catch {
            throw ToolFailure("history_unreadable", "the run's history cannot be read: \(error)")
        }
    }

    private static func referenced(_ plan: Plan) -> Set<PlanStepID> {
        var found: Set<PlanStepID> = []
        for step in plan.steps {
            for case .step(let id, _) in Template.references(in: step.arguments) { found.insert(id) }
        }
        return found
    }

    // MARK: Ending

    private func conclude(_ end: RunLoop.End, _ context: RunContext) throws(RunWriter.Failure) -> End {
        switch end {
        case .lost: throw .lost
        case .interrupted:
            _ = try writer.finish(.releaseRun, ReleaseRun(claimToken: writer.token, reason: .drained))
            return .released
        case .waits(let waits):
            let answer = try writer.finish(.parkRun, ParkRun(claimToken: writer.token, waits: waits))
            parts.log.info(
                "run_parked",
                [
                    "run": .text(held.id.rawValue), "status": .text(answer?.status.rawValue ?? "-"),
                    "waits": .text(waits.map(\.kind.rawValue).joined(separator: ",")),
                ])
            return .parked
        case .ended(let outcome, let states, let failure):
            let end = try report(outcome, states, failure, context)
            do throws(SystemError) { try context.workdir.removeIfTemporary() } catch {
                parts.log.warning("workdir_left", ["run": .text(held.id.rawValue), "reason": .text("\(error)")])
            }
            return end
        }
    }

    private func report(
        _ outcome: PlanOutcome, _ states: [PlanStepID: StepStatus], _ failure: RunLoop.FirstFailure?,
        _ context: RunContext
    ) throws(RunWriter.Failure) -> End {
        switch outcome {
        case .succeeded:
            var steps: JSONObject = [:]
            for step in context.plan.steps { steps[step.id.rawValue] = .string((states[step.id] ?? .queued).rawValue) }
            let done = states.values.count { $0 == .succeeded }
            _ = try writer.finish(
                .completeRun,
                CompleteRun(
                    claimToken: writer.token, summary: "\(done) of \(context.plan.steps.count) steps succeeded",
                    output: ["steps": .object(steps)]))
            return .succeeded
        case .cancelled:
            _ = try writer.finish(.confirmCancelled, Fenced(claimToken: writer.token))
            return .cancelled
        case .failed:
            if let limit = held.limit {
                return try fail(
                    ToolFailure("run_limit", "the run reached its limit \(limit)", details: ["limit": .string(limit)]))
            }
            guard let failure else { return try fail(ToolFailure("step_failed", "a step failed")) }
            return try fail(
                ToolFailure(
                    "step_failed", "step \(failure.step) failed: \(failure.cause.message)",
                    details: ["plan_step_id": .string(failure.step.rawValue), "cause": failure.cause.json]))
        }
    }

    private func fail(_ failure: ToolFailure) throws(RunWriter.Failure) -> End {
        _ = try writer.finish(
            .failRun, FailRun(claimToken: writer.token, message: failure.message, error: failure.json))
        return .failed
    }
}
