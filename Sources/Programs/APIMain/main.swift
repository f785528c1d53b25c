import API
import Platform

Program.exit(APIProgram.run(Program.arguments, environment: Program.environment()))
