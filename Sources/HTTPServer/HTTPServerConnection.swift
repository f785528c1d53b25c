package import HTTP

/// The time as a connection needs it: for its time-outs, and as the value of `Date`.
package struct HTTPMoment: Sendable {
    package var milliseconds: Int64
    package var date: [UInt8]

    package init(milliseconds: Int64, date: [UInt8]) { (self.milliseconds, self.date) = (milliseconds, date) }
}

/// One connection without its socket: bytes, time and answers in, bytes and actions out.
///
/// The owner feeds what happens, then obeys ``next(at:)`` until it gives nil, sends ``pendingOutput``, reports it with
/// ``sent(_:at:)``, and asks again. One request is served at a time: the next is looked at when the answer is sent.
package struct HTTPServerConnection: Sendable {
    package enum Action: Sendable {
        /// Answer with ``plan(_:at:)``.
        case plan(HTTPRequest)
        /// Answer with ``answer(_:at:)``, ``startStream(_:length:at:)``, or nothing yet.
        case handle(HTTPRequest)
        case sinkBytes(ArraySlice<UInt8>)
        /// The body is complete; as for `handle`.
        case sinkEnd
        case sinkAbort
        /// Word the failure and give it to ``answer(_:at:)``.
        case problem(HTTPParseFailure)
        /// Ask the source and give the result to ``streamed(_:at:)``.
        case pull(atMost: Int)
        /// Nobody waits for the answer any more; it may still come.
        case cancel
        /// The source or the deferred answer is no longer needed.
        case release
        case shutdownSending
        case close
    }

    private enum Phase: Equatable {
        case reading
        case planning
        case body
        case handling
        case answering
        case streaming
        case lingering
        case closed
    }

    private let settings: HTTPServerSettings
    private var parser: HTTPRequestParser
    private var phase = Phase.reading

    // The request being served.
    private var framing = Self.unknownFraming
    private var request: HTTPRequest?
    private var isHead = false
    private var body: [UInt8] = []
    private var usesSink = false
    private var failure: HTTPParseFailure?
    /// An answer was refused once already, so the next one must not be.
    private var isFailingAgain = false

    // The stream being sent.
    private var streamFraming = HTTPBodyFraming.none
    private var streamRemaining: Int64?
    private var streamWaits = false

    // What the owner must still be told.
    private var owesCancel = false
    private var owesRelease = false
    private var owesClose = false

    private var output: [UInt8] = []
    private var outputStart = 0
    private var closesAfterAnswer = false
    private var isDraining = false
    private var endSeen = false

    // Time: when what the deadline counts from has happened.
    private var isFirst = true
    private var phaseStart: Int64
    private var bodyBytes: Int64 = 0
    private var lastBodyByte: Int64 = 0
    private var lastSent: Int64 = 0

    private static let unknownFraming = HTTPRequestFraming(
        body: .none, isVersion10: false, keepsAlive: false, expectsContinue: false)
    /// Bytes of requests to come that are taken while one is served.
    private static let pipelineBytesMax = 16 << 10
    private static let keptOutputBytesMax = 8 << 10

    /// - Parameter refusal: Answers this whatever comes: the server has no room.
    package init(settings: HTTPServerSettings, at now: HTTPMoment, refusal: HTTPParseFailure? = nil) {
        self.settings = settings
        parser = HTTPRequestParser(limits: settings.limits)
        phaseStart = now.milliseconds
        if let refusal { fail(refusal) }
    }

    // MARK: What the owner asks

    /// The next thing to do; nil when there is nothing before more happens.
    package mutating func next(at now: HTTPMoment) -> Action? {
        if owesCancel {
            owesCancel = false
            return .cancel
        }
        if owesRelease {
            owesRelease = false
            return .release
        }
        if owesClose {
            if usesSink {
                usesSink = false
                return .sinkAbort
            }
            owesClose = false
            phase = .closed
            return .close
        }
        if let failure {
            if usesSink {
                usesSink = false
                return .sinkAbort
            }
            self.failure = nil
            phase = .handling
            return .problem(failure)
        }
        switch phase {
        case .reading: return hasOutput ? nil : readHead(at: now)
        case .body: return readBody(at: now)
        case .streaming:
            if streamWaits || output.count - outputStart >= settings.outputBytesLow { return nil }
            return .pull(atMost: pullBytes)
        case .answering: return hasOutput ? nil : finishExchange(at: now)
        case .lingering where endSeen: return close()
        case .planning, .handling, .lingering, .closed: return nil
        }
    }

    /// What the socket should take now.
    package var pendingOutput: ArraySlice<UInt8> { output[outputStart...] }
    package var hasOutput: Bool { outputStart < output.count }

    /// Lends the bytes to send.
    package func withPendingOutput<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try output.withUnsafeBufferPointer { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[outputStart...])))
        }
    }

    package var wantsToRead: Bool {
        if endSeen || phase == .closed { return false }
        switch phase {
        case .lingering, .body: return true
        case .reading, .planning, .handling, .answering, .streaming, .closed:
            return parser.bufferedBytes < Self.pipelineBytesMax
        }
    }

    /// Whether a request is being served, as opposed to waited for.
    package var isBusy: Bool {
        switch phase {
        case .reading: parser.isInsideMessage
        case .planning, .body, .handling, .answering, .streaming: true
        case .lingering, .closed: false
        }
    }

    /// When ``tick(at:)`` is to be called at the latest; nil when nothing can expire.
    package var deadline: Int64? {
        // A source that has more waits for the socket, also when the kernel took all that was pulled so far.
        let awaitsSocket = hasOutput || phase == .streaming && !streamWaits
        let stall = awaitsSocket ? lastSent + Int64(settings.writeStallMilliseconds) : nil
        switch phase {
        case .reading where hasOutput: return stall
        case .reading:
            let wait = isFirst || parser.isInsideMessage ? settings.headMilliseconds : settings.keepAliveMilliseconds
            return phaseStart + Int64(wait)
        case .body:
            let idle = Int64(settings.bodyIdleMilliseconds)
            let slow = bodyBytes * 1000 / Int64(settings.bodyBytesPerSecondMin)
            return min(lastBodyByte + idle, phaseStart + max(idle, slow))
        case .handling: return stall ?? (endSeen ? phaseStart + Int64(settings.writeStallMilliseconds) : nil)
        case .answering, .streaming: return stall
        case .lingering: return phaseStart + Int64(settings.lingerMilliseconds)
        case .planning, .closed: return nil
        }
    }

    // MARK: What happens

    package mutating func received(_ bytes: UnsafeRawBufferPointer, at now: HTTPMoment) {
        switch phase {
        case .lingering, .closed: return
        case .reading:
            if !isFirst, !parser.isInsideMessage { phaseStart = now.milliseconds }
        case .body:
            bodyBytes += Int64(bytes.count)
            lastBodyByte = now.milliseconds
        case .planning, .handling, .answering, .streaming: break
        }
        if closesAfterAnswer { return }
        parser.receive(bytes)
    }

    package mutating func receivedEnd(at now: HTTPMoment) {
        guard !endSeen else { return }
        endSeen = true
        switch phase {
        case .handling:
            phaseStart = now.milliseconds
            owesCancel = true
        case .streaming where streamWaits: abandon()
        case .reading, .planning, .body, .answering, .streaming, .lingering, .closed: break
        }
    }

    /// The connection is gone.
    package mutating func broke() { if phase != .closed { abandon() } }

    package mutating func sent(_ count: Int, at now: HTTPMoment) {
        outputStart += count
        lastSent = now.milliseconds
        if outputStart == output.count {
            output.removeAll(keepingCapacity: output.capacity <= Self.keptOutputBytesMax)
            outputStart = 0
        } else if outputStart >= settings.outputBytesLow, phase == .streaming {
            output.removeSubrange(..<outputStart)
            outputStart = 0
        }
    }

    /// Time has passed: expires what is due.
    package mutating func tick(at now: HTTPMoment) {
        guard let deadline, now.milliseconds >= deadline else { return }
        switch phase {
        case .reading where parser.isInsideMessage && !hasOutput: fail(.requestTimeout)
        case .body: fail(.requestTimeout)
        case .reading, .handling, .answering, .streaming, .lingering: abandon()
        case .planning, .closed: break
        }
    }

    /// The server stops: this request is the last, and who waits for an answer is told.
    package mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        switch phase {
        case .reading where !parser.isInsideMessage && !hasOutput: owesClose = true
        case .handling: owesCancel = true
        case .reading, .planning, .body, .answering, .streaming, .lingering, .closed: break
        }
    }

    /// The server has waited long enough: answers 503 where no answer has begun; a stream is cut.
    package mutating func drainExpired() {
        switch phase {
        case .reading, .body: if failure == nil { fail(.draining) }
        case .handling:
            owesRelease = true
            fail(.draining)
        case .streaming: abandon()
        case .planning, .answering, .lingering, .closed: break
        }
    }

    // MARK: What the owner answers

    package mutating func plan(_ plan: BodyPlan, at now: HTTPMoment) {
        precondition(phase == .planning, "a plan answers the action of that name")
        switch plan {
        case .refuse(let response):
            if framing.body != .none, framing.body != .length(0) { closesAfterAnswer = true }
            answer(response, at: now)
        case .buffer(let bytesMax): expectBody(bytesMax: bytesMax, sink: false, at: now)
        case .sink(_, let bytesMax): expectBody(bytesMax: bytesMax, sink: true, at: now)
        }
    }

    /// The whole answer. A field that would split the response is a bug: 500 goes out in its place.
    package mutating func answer(_ response: HTTPResponse, at now: HTTPMoment) {
        guard canAnswer(response) else { return }
        let hasBody = !response.status.forbidsBody
        appendHead(response, hasBody ? .length(Int64(response.body.count)) : .none, at: now)
        if hasBody, !isHead { output.append(contentsOf: response.body) }
        phase = .answering
    }

    /// A head now and a body to be pulled.
    package mutating func startStream(_ response: HTTPResponse, length: Int64?, at now: HTTPMoment) {
        guard canAnswer(response) else {
            owesRelease = true
            return
        }
        if response.status.forbidsBody {
            streamFraming = .none
        } else if let length {
            streamFraming = .length(length)
        } else {
            streamFraming = framing.isVersion10 ? .untilClose : .chunked
            if framing.isVersion10 { closesAfterAnswer = true }
        }
        appendHead(response, streamFraming, at: now)
        if isHead || response.status.forbidsBody {
            owesRelease = true
            phase = .answering
        } else {
            (streamRemaining, streamWaits, phase) = (length, false, .streaming)
            if length == 0 { endStream() }
        }
    }

    /// What the source gave.
    package mutating func streamed(_ chunk: BodyChunk, at now: HTTPMoment) {
        guard phase == .streaming else { return }
        switch chunk {
        case .bytes(let bytes):
            if !hasOutput { lastSent = now.milliseconds }
            if let remaining = streamRemaining {
                guard bytes.count <= remaining else { return abandon() }
                streamRemaining = remaining - Int64(bytes.count)
            }
            if streamFraming == .chunked {
                HTTPWriter.appendChunk(bytes, to: &output)
            } else {
                output.append(contentsOf: bytes)
            }
            if streamRemaining == 0 { endStream() }
        case .wait:
            streamWaits = true
            if endSeen { abandon() }
        case .end:
            guard streamRemaining ?? 0 == 0 else { return abandon() }
            if streamFraming == .chunked {
                if !hasOutput { lastSent = now.milliseconds }
                HTTPWriter.appendLastChunk(to: &output)
            }
            endStream()
        case .abort: abandon()
        }
    }

    /// The source has more.
    package mutating func streamHasMore(at now: HTTPMoment) {
        if streamWaits { (streamWaits, lastSent) = (false, hasOutput ? lastSent : now.milliseconds) }
    }

    /// A sink refused the rest of the body: this is the answer, and the last one.
    package mutating func refuseBody(_ response: HTTPResponse, at now: HTTPMoment) {
        (usesSink, closesAfterAnswer) = (false, true)
        answer(response, at: now)
    }
}

extension HTTPServerConnection {
    private mutating func readHead(at now: HTTPMoment) -> Action? {
        do throws(HTTPParseFailure) {
            while let event = try parser.next() {
                guard case .head(let request, let framing) = event else { continue }
                (self.request, self.framing, isHead) = (request, framing, request.method == .head)
                (phase, isFirst) = (.planning, false)
                return .plan(request)
            }
            if endSeen {
                try parser.end()
                return close()
            }
            return isDraining && !parser.isInsideMessage ? close() : nil
        } catch {
            fail(error)
            return next(at: now)
        }
    }

    private mutating func expectBody(bytesMax: Int, sink: Bool, at now: HTTPMoment) {
        usesSink = sink
        (phase, phaseStart, lastBodyByte, bodyBytes) = (.body, now.milliseconds, now.milliseconds, 0)
        if case .length(let length) = framing.body {
            guard length <= bytesMax else { return fail(.payloadTooLarge) }
            if !sink { body.reserveCapacity(min(length, settings.outputBytesLow)) }
        }
        parser.bodyBytesMax = bytesMax
        bodyBytes = Int64(parser.bufferedBytes)
        if framing.expectsContinue, parser.bufferedBytes == 0 {
            lastSent = now.milliseconds
            output.append(contentsOf: HTTPWriter.continueLine)
        }
    }

    private mutating func readBody(at now: HTTPMoment) -> Action? {
        do throws(HTTPParseFailure) {
            while let event = try parser.next() {
                switch event {
                case .head: preconditionFailure("a head cannot begin within a body")
                case .body(let bytes):
                    if usesSink { return .sinkBytes(bytes) }
                    body.append(contentsOf: bytes)
                case .end: return finishRequest(at: now)
                }
            }
            if endSeen { try parser.end() }
            return nil
        } catch {
            fail(error)
            return next(at: now)
        }
    }

    private mutating func finishRequest(at now: HTTPMoment) -> Action? {
        guard var request else { preconditionFailure("a body has a head") }
        self.request = nil
        (phase, phaseStart) = (.handling, now.milliseconds)
        if usesSink {
            usesSink = false
            return .sinkEnd
        }
        swap(&request.body, &body)
        return .handle(request)
    }

    /// Whether the response may go out; arranges for another when not.
    private mutating func canAnswer(_ response: HTTPResponse) -> Bool {
        guard phase == .handling || phase == .planning || phase == .body, failure == nil else { return false }
        if response.fields.canBeSent { return true }
        closesAfterAnswer = true
        if isFailingAgain {
            abandon()
        } else {
            isFailingAgain = true
            fail(.internalError)
        }
        return false
    }

    private mutating func appendHead(_ response: HTTPResponse, _ bodyFraming: HTTPBodyFraming, at now: HTTPMoment) {
        if !hasOutput { lastSent = now.milliseconds }
        if !framing.keepsAlive || isDraining || endSeen { closesAfterAnswer = true }
        HTTPWriter.appendHead(
            response.status, response.fields, framing: bodyFraming,
            connection: closesAfterAnswer ? .close : framing.isVersion10 ? .keepExplicitly : .keep, date: now.date,
            to: &output)
    }

    private mutating func endStream() {
        guard phase == .streaming else { return }
        (phase, owesRelease) = (.answering, true)
    }

    private mutating func finishExchange(at now: HTTPMoment) -> Action? {
        phaseStart = now.milliseconds
        if closesAfterAnswer || isDraining {
            phase = .lingering
            parser = HTTPRequestParser(limits: settings.limits)
            return .shutdownSending
        }
        (phase, framing, isHead, request, isFailingAgain) = (.reading, Self.unknownFraming, false, nil, false)
        return readHead(at: now)
    }

    private mutating func fail(_ failure: HTTPParseFailure) {
        self.failure = failure
        closesAfterAnswer = true
    }

    /// Ends it without another word.
    private mutating func abandon() {
        switch phase {
        case .handling: (owesCancel, owesRelease) = (true, true)
        case .streaming: owesRelease = true
        case .reading, .planning, .body, .answering, .lingering, .closed: break
        }
        owesClose = true
    }

    private mutating func close() -> Action {
        phase = .closed
        return .close
    }

    private var pullBytes: Int {
        streamRemaining.map { Int(min($0, Int64(settings.pullBytes))) } ?? settings.pullBytes
    }
}
