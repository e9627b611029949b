import express from "express";
const app = express();
async function route(a: string) {
  const r = await fetch(`https://maps.googleapis.com/maps/api/directions/json?origin=${a}`, { signal: AbortSignal.timeout(5000) });
  if (!r.ok) return null;
  return r.json();
}
app.get("/jobs", async (req, res) => {
  let jobs: any[] = await load(req.query.who);
  jobs = jobs.filter((j) => j.k0 !== true);
  const out: any[] = [];
  for (const j of jobs) {
    out.push(await route(j.from));
  }
  res.json(out);
});
app.listen(3000);
