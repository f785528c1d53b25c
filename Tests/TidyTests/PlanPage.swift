import Shared

/// `docs/reference/PLANS.md`: the tools and limits are the tool table's own.
enum PlanPage {
    static let text = """
        ```json
        { "version": 1,
          "workdir": { "path": "/home/ana/site", "isolation": "worktree" },
          "limits": { "timeout_ms": 3600000, "max_parallel": 2, "max_tool_calls": 200 },
          "steps": [
            { "id": "count", "tool": "shell", "with": { "argv": ["wc", "-l", "README.md"] } },
            { "id": "write", "tool": "file.write", "needs": ["count"],
              "with": { "path": "report.txt", "text": "lines: ${{ steps.count.output.stdout }}" },
              "artifacts": [ { "path": "report.txt", "kind": "report" } ] } ] }
        ```

        | member | |
        |---|---|
        | `version` | 1 |
        | `workdir.path`, `.isolation` | `none` (in place), `temp` (a fresh folder, the default without a path), `worktree` (a git worktree on branch `aos/<run_id>`) |
        | `limits.timeout_ms` | \(range(PlanLimits.timeoutMsRange)), of running time; \(PlanLimits().timeoutMs) if not given |
        | `limits.max_parallel` | \(range(PlanLimits.parallelRange)); \(PlanLimits().maxParallel) if not given |
        | `limits.max_tool_calls` | \(range(PlanLimits.toolCallsRange)); \(PlanLimits().maxToolCalls) if not given |
        | `steps` | at most \(Plan.stepsMax) |
        | `steps[].id` | `[a-z][a-z0-9_]{0,63}`, unique: the durable name of the step |
        | `steps[].tool`, `.with` | a tool and its arguments, below |
        | `steps[].needs` | steps that must have succeeded; no cycles |
        | `steps[].when` | `success` (default), `failure` or `always` |
        | `steps[].retry` | `max_attempts`, `initial_ms`, `factor`, `max_ms`: exponential, with full jitter |
        | `steps[].timeout_ms` | for each attempt |
        | `steps[].effect` | `none`, `idempotent` or `once`: stricter than the tool's own; `shell` without network may declare any |
        | `steps[].artifacts` | files to keep, by path or pattern inside the workdir |
        | `steps[].continue_on_error` | the run goes on; the step still shows as failed |

        Templates are `${{ steps.<id>.output.<path> }}`, `${{ run.input.<path> }}`, `${{ run.id }}` and `${{ secrets.<NAME> }}`: paths, no
        logic. A template is never spliced into a shell line.

        ## Tools

        What a tool does is asked of policy as its action; what repeating it would do is its effect.

        | tool | with | action | effect |
        |---|---|---|---|
        \(tools)

        """

    private static func range(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) … \(range.upperBound)" }

    private static var tools: String {
        ToolCatalogue.entries.map { entry in
            let fields = entry.arguments?.fields.map { "`\($0.name)`\($0.isRequired ? "" : "?")" }
            let with = fields?.joined(separator: ", ") ?? "not executed yet: a plan that uses it is refused"
            return "| `\(entry.tool.rawValue)` | \(with) | \(action(entry.action)) | \(effect(entry.effect)) |"
        }.joined(separator: "\n")
    }

    private static func action(_ rule: ActionRule) -> String {
        switch rule {
        case .always(let action): "`\(action.rawValue)`"
        case .byMethod: "GET and HEAD: `external.read`; all else `external.write`"
        case .byNetwork: "`shell.exec`; with `network` it is `external.write`"
        }
    }

    private static func effect(_ rule: EffectRule) -> String {
        switch rule {
        case .always(let effect): effect.rawValue
        case .byMethod: "GET and HEAD none; PUT and DELETE idempotent; all else once"
        case .byNetwork: "once"
        }
    }
}
