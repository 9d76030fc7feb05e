// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <sys/resource.h>
#include <uv.h>

#include "tests/bench/load/generator.h"
#include "tests/bench/load/options.h"

namespace bench {
namespace {

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "error: %s\n", what.c_str());
    std::exit(1);
}

void print(const RunResult& result) {
    const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
    const Histogram& latency = result.latency;
    std::printf(
        "{\"requests\": %llu, \"seconds\": %.6f, \"latency_us\": {\"mean\": %.2f, "
        "\"p50\": %.2f, \"p99\": %.2f, \"p99.9\": %.2f, \"max\": %.2f}}\n",
        static_cast<unsigned long long>(result.requests), result.seconds, latency.mean() / 1e3,
        us(latency.percentile(0.5)), us(latency.percentile(0.99)), us(latency.percentile(0.999)),
        us(latency.max()));
    std::fflush(stdout);
}

// The lines of stdin, each a number of requests.
class Steps {
  public:
    Steps(uv_loop_t* loop, Generator& generator) : generator_(generator) {
        uv_pipe_init(loop, &input_, 0);
        input_.data = this;
        uv_pipe_open(&input_, 0);
    }

    void start() {
        std::puts("{\"ready\": true}");
        std::fflush(stdout);
        uv_read_start(
            reinterpret_cast<uv_stream_t*>(&input_),
            [](uv_handle_t*, std::size_t, uv_buf_t* into) {
                static char text[64];
                *into = uv_buf_init(text, sizeof text);
            },
            [](uv_stream_t* stream, ssize_t size, const uv_buf_t* text) {
                if (size < 0) {
                    std::exit(0);
                }
                static_cast<Steps*>(stream->data)
                    ->on_text({text->base, static_cast<std::size_t>(size)});
            });
    }

  private:
    void on_text(std::string_view text) {
        line_.append(text);
        if (line_.ends_with('\n')) {
            generator_.run(leading_number(line_), print);
            line_.clear();
        }
    }

    Generator& generator_;
    uv_pipe_t input_ = {};
    std::string line_;
};

int run(const Options& options) {
    rlimit files = {};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    uv_loop_t* loop = uv_default_loop();
    Generator generator(loop, options, give_up);
    Steps steps(loop, generator);
    generator.connect([&] {
        if (options.stepwise) {
            steps.start();
            return;
        }
        generator.run(options.requests, [](const RunResult& result) {
            print(result);
            std::exit(0);
        });
    });
    return uv_run(loop, UV_RUN_DEFAULT);
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
    return bench::run(bench::parse_options(count, words));
}
