// Hands what the versions of one Worker did and wrote to whoever follows its log.
export default {
  async tail(events, env) {
    const body = JSON.stringify({ worker: env.WORKER, events });
    await env.SINK.fetch("http://sink/", { method: "POST", body });
  },
};
