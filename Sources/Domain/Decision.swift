package import Shared

/// What a command comes to: the events to record, and what its caller is told once they are.
///
/// A refusal that leaves nothing behind is thrown instead, as a ``Rejection``.
package struct Decision<Answer: Sendable>: Sendable {
    package var events: [EventDraft]
    package var answer: Answer

    package init(_ events: [EventDraft] = [], _ answer: Answer) { (self.events, self.answer) = (events, answer) }
}

/// Who acts and when: the facts every command comes with, so that deciding touches nothing.
package struct CommandFacts: Sendable {
    package var actor: Actor
    package var now: Timestamp

    package init(actor: Actor, now: Timestamp) { (self.actor, self.now) = (actor, now) }
}
