import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// Finds out who the engine is: as it is told, or by registering with the operator's token.
struct EngineIdentity: Sendable {
    private static let tokenBytesMax = 4096

    let configuration: EngineConfiguration
    let transport: any HTTPTransport
    let entropy: any Entropy
    let log: Log

    /// - Parameter isStopping: Asked while the api is not there: waiting for it must not keep the program from ending.
    func credential(
        pause: (Int64) -> Void, isStopping: () -> Bool
    ) throws(ToolFailure) -> (id: EngineID, token: String)? {
        if let id = configuration.engineID, let token = configuration.engineToken { return (id, token) }
        var backoff = Backoff(entropy: entropy)
        var hasSaidSo = false
        while !isStopping() {
            do throws(APIFailure) {
                let answer = try register()
                guard let token = answer.token.engineToken else {
                    throw .badAnswer("the answer to the registration holds no token")
                }
                log.info("engine_registered", ["engine": .text(answer.engine.engineID.rawValue)])
                return (answer.engine.engineID, token)
            } catch {
                if case .refused(let problem) = error, problem.status < 500, problem.status != 429 {
                    throw ToolFailure(problem.reasonCode, "the api refuses to register this engine: \(problem.detail)")
                }
                if !hasSaidSo {
                    log.warning(
                        "api_unreachable",
                        ["url": .text("\(configuration.apiBaseURL.hostField)"), "reason": .text("\(error)")])
                }
                hasSaidSo = true
            }
            pause(backoff.next())
        }
        return nil
    }

    private func register() throws(APIFailure) -> EngineRegisteredAnswer {
        let client = APIClient(
            transport: transport, credential: .bearer(operatorToken()), workspace: configuration.workspace)
        return try client.call(
            .registerEngine,
            RegisterEngine(
                actorID: configuration.actorID, engineName: configuration.actorID, tokenLabel: "engine start"))
    }

    /// Read anew each time: the api may still be about to write it.
    private func operatorToken() -> String? {
        guard let bytes = try? Files.read(configuration.operatorTokenFile, bytesMax: Self.tokenBytesMax) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}
