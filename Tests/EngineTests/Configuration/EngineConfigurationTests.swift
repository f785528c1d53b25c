import Engine
import HTTP
import Shared
import Testing

@Suite struct EngineConfigurationTests {
    private func faults(_ environment: [String: String]) -> [String] {
        do {
            _ = try EngineConfiguration(environment: environment, hostName: "box")
            return []
        } catch { return error.faults.map(\.name) }
    }

    @Test func `without variables the defaults hold`() throws {
        let configuration = try EngineConfiguration(environment: ["HOME": "/home/ana"], hostName: "box")
        #expect(configuration.apiBaseURL.port == 7717)
        #expect(configuration.workspace == "ws_dev")
        #expect(configuration.actorID == "engine-box")
        #expect(configuration.dataFolder == "/home/ana/.local/share/aos")
        #expect(configuration.maxParallelRuns == 2)
        #expect(configuration.sandbox == .auto)
        #expect(!configuration.killSwitch)
    }

    @Test func `every fault is named`() {
        #expect(
            faults([
                "ENGINE_CLAIM_WAIT_MS": "soon", "ENGINE_MAX_PARALLEL_RUNS": "0", "ENGINE_TYPO": "1",
                "ENGINE_SANDBOX": "yes",
                "EGRESS_ALLOW": "nohost", "AOS_LOG_LEVEL": "loud", "ENGINE_ID": "eng_1", "ENGINE_RUN_ONCE": "maybe",
                "AOS_DATA_DIR": "relative", "ENGINE_API_BASE_URL": "https://x",
            ]).sorted() == [
                "AOS_DATA_DIR", "AOS_LOG_LEVEL", "EGRESS_ALLOW", "ENGINE_API_BASE_URL", "ENGINE_AUTH_TOKEN",
                "ENGINE_CLAIM_WAIT_MS", "ENGINE_MAX_PARALLEL_RUNS", "ENGINE_RUN_ONCE", "ENGINE_SANDBOX", "ENGINE_TYPO",
            ])
    }

    @Test func `the env file goes before the environment`() throws {
        let configuration = try EngineConfiguration(
            environment: ["POLICY_KILL_SWITCH_EXTERNAL_WRITE": "0"],
            file: ["POLICY_KILL_SWITCH_EXTERNAL_WRITE": "true"],
            hostName: "box")
        #expect(configuration.killSwitch)
    }

    @Test func `who it is may stand in a credential, which everything else goes before`() throws {
        let credential = ["ENGINE_ID": "eng_1", "ENGINE_AUTH_TOKEN": "t", "ENGINE_SANDBOX": "off"]
        let known = try EngineConfiguration(environment: [:], credential: credential, hostName: "box")
        #expect(known.engineID == "eng_1" && known.engineToken == "t")
        // It says who the engine is, and nothing else.
        #expect(known.sandbox == .auto)
        let told = try EngineConfiguration(
            environment: ["ENGINE_ID": "eng_2", "ENGINE_AUTH_TOKEN": "u"], credential: credential, hostName: "box")
        #expect(told.engineID == "eng_2" && told.engineToken == "u")
    }

    @Test func `secret settings are found among the credentials by their names, and an empty one is none`() {
        let files = ["/c/METRICS_TOKEN": "scrape\n", "/c/DATABASE_URL": "\n", "/c/OTHER": "x"]
        let found = Settings.credentials(["CREDENTIALS_DIRECTORY": "/c"]) { files[$0].map { Array($0.utf8) } }
        #expect(found == ["METRICS_TOKEN": "scrape", "DATABASE_URL": ""])
        #expect(Settings.credentials([:]) { _ in [1] }.isEmpty)
        var settings = Settings(environment: [:], credentials: found)
        #expect(settings.secret("METRICS_TOKEN") == "scrape" && settings.text("DATABASE_URL") == nil)
        #expect(settings.shown.map(\.origin) == [.credential])
    }

    @Test func `a fault says the value, where it came from and what is allowed`() {
        var settings = Settings(environment: ["ENGINE_POLL_MS": "x"])
        _ = settings.integer("ENGINE_POLL_MS", default: 1, in: 1...9)
        #expect(
            settings.faults.map(\.description) == [
                "ENGINE_POLL_MS: found \"x\" (from environment), allowed is an integer from 1 to 9"
            ])
    }

    @Test func `a mistyped name is told the right one`() {
        var settings = Settings(environment: ["ENGINE_POL_MS": "1", "OTHER": "2"])
        settings.refuseUnknownNames()
        #expect(settings.faults.map(\.allowed) == ["a known name (did you mean ENGINE_POLL_MS?)"])
    }

    @Test func `a secret is never shown`() {
        var settings = Settings(environment: ["ENGINE_AUTH_TOKEN": "abc"])
        #expect(settings.secret("ENGINE_AUTH_TOKEN") == "abc")
        #expect(settings.shown.map(\.value) == ["(hidden)"])
    }

    @Test func `env files are lines of names and values`() {
        let (values, faults) = Settings.parseFile("# comment\n\nA=1\nB = x\n C=\" q \"\nbad line\nD='y'\r\n", name: "f")
        #expect(values == ["A": "1", "C": " q ", "D": "y"])
        #expect(faults.map(\.name) == ["line 4", "line 6"])
    }
}
