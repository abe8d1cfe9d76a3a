// Times the subjects: Google Benchmark's flags apply, such as --benchmark_filter=REGEX.

#include <benchmark/benchmark.h>

#include "tools/bench/micro/subject.hpp"

int main(int argc, char** argv) {
  for (const micro::subject_description& d : micro::all_subjects()) {
    benchmark::RegisterBenchmark(d.name.c_str(), [d](benchmark::State& state) {
      const auto batch = static_cast<benchmark::IterationCount>(d.operations);
      const auto subject = d.make();
      while (state.KeepRunningBatch(batch)) {
        state.PauseTiming();
        subject->prepare();
        state.ResumeTiming();
        subject->run(d.operations);
      }
    });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
