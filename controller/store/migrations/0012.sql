R"sql(
-- When an agent was last heard is a sign of life of the controller: asked for at every start, over tens of thousands of rows.
CREATE INDEX agent_received ON agent (received);
)sql"
