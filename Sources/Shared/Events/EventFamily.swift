package import JSON

/// The `data` of one type of event: past tense, immutable, additive; never a secret or a token.
package protocol EventPayload: Codable, Hashable, Sendable, SendableMetatype {
    /// `noun.verb`, on the wire and in the log for ever.
    static var type: String { get }
}

/// All events of one kind of thing. A new case makes the compiler name each place that must learn it.
package protocol EventFamily: Sendable, SendableMetatype {
    static var members: [EventMember<Self>] { get }
    var payload: any EventPayload { get }
}

/// One event type of a family: its name and how it is read back.
package struct EventMember<Family: EventFamily>: Sendable {
    package let type: String
    package let decode: @Sendable (JSONValue) throws -> Family

    package init<Payload: EventPayload>(_ wrap: @escaping @Sendable (Payload) -> Family) {
        type = Payload.type
        decode = { wrap(try JSON.decode(Payload.self, from: $0)) }
    }
}

/// Every event the system records, by family: what the log's bytes become when they are read.
package enum DomainEvent: Sendable {
    case room(RoomEvent)
    case run(RunEvent)
    case step(StepEvent)
    case toolCall(ToolCallEvent)
    case artifact(ArtifactEvent)
    case approval(ApprovalEvent)
    case policy(PolicyEvent)
    case engine(EngineEvent)
    case system(SystemEvent)
    case thread(ThreadEvent)
    case review(ReviewEvent)
    case learning(LearningEvent)
    case incident(IncidentEvent)
    case experiment(ExperimentEvent)
    case evidence(EvidenceEvent)
    case auth(AuthEvent)
    case log(LogEvent)

    package var payload: any EventPayload {
        switch self {
        case .room(let event): event.payload
        case .run(let event): event.payload
        case .step(let event): event.payload
        case .toolCall(let event): event.payload
        case .artifact(let event): event.payload
        case .approval(let event): event.payload
        case .policy(let event): event.payload
        case .engine(let event): event.payload
        case .system(let event): event.payload
        case .thread(let event): event.payload
        case .review(let event): event.payload
        case .learning(let event): event.payload
        case .incident(let event): event.payload
        case .experiment(let event): event.payload
        case .evidence(let event): event.payload
        case .auth(let event): event.payload
        case .log(let event): event.payload
        }
    }

    package var type: String { Swift.type(of: payload).type }
}

/// The catalogue: event type to the way back from JSON. A type that is not here cannot be recorded.
package enum EventCatalogue {
    package static let decoders: [String: @Sendable (JSONValue) throws -> DomainEvent] = {
        var table: [String: @Sendable (JSONValue) throws -> DomainEvent] = [:]
        func add<Family: EventFamily>(_ wrap: @escaping @Sendable (Family) -> DomainEvent) {
            for member in Family.members {
                precondition(table[member.type] == nil, "event type \(member.type) is in two families")
                table[member.type] = { wrap(try member.decode($0)) }
            }
        }
        add(DomainEvent.approval)
        add(DomainEvent.artifact)
        add(DomainEvent.engine)
        add(DomainEvent.policy)
        add(DomainEvent.room)
        add(DomainEvent.run)
        add(DomainEvent.step)
        add(DomainEvent.system)
        add(DomainEvent.thread)
        add(DomainEvent.review)
        add(DomainEvent.learning)
        add(DomainEvent.incident)
        add(DomainEvent.experiment)
        add(DomainEvent.evidence)
        add(DomainEvent.auth)
        add(DomainEvent.log)
        add(DomainEvent.toolCall)
        return table
    }()

    /// All event types, sorted.
    package static let types: [String] = decoders.keys.sorted()

    /// The typed event, or nil when the type is not known to this program (written by a newer one).
    package static func decode(_ type: String, _ data: JSONValue) throws -> DomainEvent? { try decoders[type]?(data) }
}

/// Lets an event's payload be encoded without knowing its type.
package struct AnyPayload: Encodable {
    private let payload: any EventPayload

    package init(_ payload: any EventPayload) { self.payload = payload }

    package func encode(to encoder: any Encoder) throws { try payload.encode(to: encoder) }
}
