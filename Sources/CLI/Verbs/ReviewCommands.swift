import HTTP
import JSON
import Shared

/// How work was judged.
enum ScorecardCommands {
    static let all: [Command] = [list, view]

    static let list = Command.list(
        "scorecard list", "How work was judged, newest first", aliases: ["scorecard ls"], options: [.run, .experiment],
        examples: [Example("aos scorecard list --run 01KQ", "the judgements of one run")], ifEmpty: "no scorecards",
        columns: [
            .init("SCORECARD"), .init("DECISION"), .init("SCORE", isNumber: true), .init("TEMPLATE", isFlexible: true),
            .init("RUN"), .init("EXPERIMENT"), .init("RECORDED"),
        ],
        reading: { invocation, session in
            Reading(
                .scorecards,
                query: try session.filters(invocation, [.run: "run_id", .experiment: "experiment_id"]))
        }, rows: \.scorecards,
        cells: { card, session in
            [
                Table.Cell(card.scorecardID.rawValue), Table.Cell(card.decision.rawValue, style(card.decision)),
                Table.Cell("\(card.score)"), Table.Cell("\(card.templateKey) \(card.templateVersion)", .bold),
                Table.Cell(card.runID?.rawValue ?? "", shown: session.end(of: card.runID?.rawValue), .dim),
                Table.Cell(
                    card.experimentID?.rawValue ?? "", shown: session.end(of: card.experimentID?.rawValue), .dim),
                session.age(card.createdAt),
            ]
        })

    static let view = Command.view(
        "scorecard view", "One judgement, with its measured values", aliases: ["scorecard show"],
        argument: .scorecard, examples: [Example("aos scorecard view scd_01KQ", "and the words beside the numbers")],
        reading: { text, session in Reading(.scorecard, ["scorecard_id": try session.id(text, .scorecard)]) },
        show: { answer, session in session.print(try Facts(of: answer.scorecard, session)) })

    private static func style(_ decision: ScorecardDecision) -> Style {
        switch decision {
        case .pass: .green
        case .warn: .yellow
        case .fail: .red
        }
    }
}

/// What was learned from work.
enum LessonCommands {
    static let all: [Command] = [list, view]

    static let list = Command.list(
        "lesson list", "What was learned from work, newest first", aliases: ["lesson ls"],
        options: [.run, .experiment, .incident],
        examples: [Example("aos lesson list --experiment exp_01KQ", "what an experiment has taught")],
        ifEmpty: "no lessons",
        columns: [
            .init("LESSON"), .init("CATEGORY"), .init("SUMMARY", isFlexible: true), .init("RUN"), .init("KEPT"),
        ],
        reading: { invocation, session in
            Reading(
                .lessons,
                query: try session.filters(
                    invocation, [.run: "run_id", .experiment: "experiment_id", .incident: "incident_id"]))
        }, rows: \.lessons,
        cells: { lesson, session in
            [
                Table.Cell(lesson.lessonID.rawValue), Table.Cell(lesson.category), Table.Cell(lesson.summary, .bold),
                Table.Cell(lesson.runID?.rawValue ?? "", shown: session.end(of: lesson.runID?.rawValue), .dim),
                session.age(lesson.createdAt),
            ]
        })

    static let view = Command.view(
        "lesson view", "One lesson", aliases: ["lesson show"], argument: .lesson,
        examples: [Example("aos lesson view les_01KQ", "what to do, and where it comes from")],
        reading: { text, session in Reading(.lesson, ["lesson_id": try session.id(text, .lesson)]) },
        show: { answer, session in session.print(try Facts(of: answer.lesson, session)) })
}

enum ExperimentCommands {
    static let all: [Command] = [list, view]

    static let list = Command.list(
        "experiment list", "What is being tried, latest change first", aliases: ["experiment ls"],
        options: [.room, .status],
        examples: [Example("aos experiment list", "each with its state and its budget")], ifEmpty: "no experiments",
        columns: [
            .init("EXPERIMENT"), .init("STATUS"), .init("TITLE", isFlexible: true), .init("RISK"),
            .init("BUDGET", isNumber: true), .init("OPENED"),
        ],
        reading: { invocation, session in
            Reading(.experiments, query: try session.filters(invocation, [.room: "room_id", .status: "status"]))
        }, rows: \.experiments,
        cells: { experiment, session in
            [
                Table.Cell(experiment.experimentID.rawValue),
                Table.Cell(experiment.status.rawValue, experiment.status == .open ? .green : .dim),
                Table.Cell(experiment.title, .bold), Table.Cell(experiment.riskTier.rawValue),
                Table.Cell(String(experiment.budgetCapUnits)), session.age(experiment.createdAt),
            ]
        })

    static let view = Command.view(
        "experiment view", "One experiment: what it supposes, and what would settle it", aliases: ["experiment show"],
        argument: .experiment, examples: [Example("aos experiment view exp_01KQ", "its hypothesis and its criteria")],
        reading: { text, session in Reading(.experiment, ["experiment_id": try session.id(text, .experiment)]) },
        show: { answer, session in session.print(try Facts(of: answer.experiment, session)) })
}

/// What was learned from refusals.
enum ConstraintCommands {
    static let all: [Command] = [list]

    static let list = Command.list(
        "constraint list", "What agents have learned from refusals, last seen first", aliases: ["constraint ls"],
        examples: [Example("aos constraint list", "what was refused, how often, and what it takes")],
        ifEmpty: "nothing was refused yet",
        columns: [
            .init("CONSTRAINT"), .init("WHO", isFlexible: true), .init("ACTION"), .init("REASON"),
            .init("SEEN", isNumber: true), .init("GUIDANCE", isFlexible: true), .init("LAST"),
        ],
        reading: { _, _ in Reading(.constraints) }, rows: \.constraints,
        cells: { constraint, session in
            [
                Table.Cell(constraint.constraintID.rawValue), Table.Cell(constraint.subjectKey),
                Table.Cell(constraint.action), Table.Cell(constraint.reasonCode, .yellow),
                Table.Cell(String(constraint.seenCount)), Table.Cell(constraint.guidance, .bold),
                session.age(constraint.lastSeenAt),
            ]
        })
}

enum PipelineCommand {
    static let all: [Command] = [pipeline]

    static let pipeline = Command(
        "pipeline", "All work by the stage it has come to",
        details: """
            Six stages: inbox, pending approval, in work, to be reviewed, promoted, demoted. Within each the latest change
            stands first. With --json the answer of the api, flat.
            """,
        aliases: ["pipeline view", "pipeline list"], options: [.limit, .json],
        examples: [
            Example("aos pipeline", "the board"),
            Example("aos pipeline | grep ^2_pending_approval", "what waits for somebody"),
        ]
    ) { invocation, session in
        let limit = min(invocation.integer(.limit) ?? PipelineProjection.itemsMax, PipelineProjection.itemsMax)
        let reading = Reading(Endpoint.pipelineProjection, query: [("limit", String(limit))])
        guard !invocation.has(.json) else {
            try session.printAnswer(invocation, reading)
            return .ok
        }
        let stages = try session.get(.pipelineProjection, query: reading.query).stages
        session.print(
            Table(
                [
                    .init("STAGE"), .init("KIND"), .init("ID"), .init("TITLE", isFlexible: true), .init("STATUS"),
                    .init("NOTE"), .init("CHANGED"),
                ],
                PipelineStage.allCases.flatMap { stage in stages[stage].map { cells($0, stage, session) } }),
            ifEmpty: "nothing is in the pipeline yet: aos run submit FILE")
        return .ok
    }

    private static func cells(_ item: PipelineItem, _ stage: PipelineStage, _ session: Session) -> [Table.Cell] {
        [
            Table.Cell(
                stage.rawValue, shown: String(stage.rawValue.dropFirst(2)).replacing("_", with: " "), style(stage)),
            Table.Cell(item.entityType.rawValue, .dim), Table.Cell(item.entityID), Table.Cell(item.title, .bold),
            Table.Cell(item.status), Table.Cell(item.diagnostics.map(\.rawValue).joined(separator: ","), .dim),
            session.age(item.updatedAt),
        ]
    }

    private static func style(_ stage: PipelineStage) -> Style {
        switch stage {
        case .inbox: .dim
        case .pendingApproval: .boldYellow
        case .executeWorkspace: .blue
        case .reviewEvidence: .cyan
        case .promoted: .green
        case .demoted: .red
        }
    }
}
