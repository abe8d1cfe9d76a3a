/** The connection to the server that the page came from: one session, with or without a user. */

import { describeSubscription } from "../../js/lib/statement.js";
import { connect, PubSubSqlError, type Client, type Result, type State, type Subscription } from "./client.js";

export interface Credentials {
  user: string;
  /** A password or a token. In memory only. */
  password: string;
}

const access_denied = 1045;

export class Connection {
  state: State = "connecting";
  credentials: Credentials | null = null;
  /** Called when the state has changed. */
  on_state: (state: State) => void = () => {};
  /** Called when the server wants a user, or another one. */
  on_denied: (message: string) => void = () => {};
  private client: Client;

  constructor() {
    this.client = this.open();
  }

  private open(): Client {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const { user, password } = this.credentials ?? {};
    return connect(`${scheme}//${location.host}/ws`, {
      user,
      password,
      timeout: 0,
      onstate: (state, error) => {
        this.state = state;
        this.on_state(state);
        this.look_at(error);
      },
    });
  }

  /** Connects anew, as this user. Subscriptions of before have ended. */
  sign_in(credentials: Credentials): void {
    this.credentials = credentials;
    this.client.close();
    this.client = this.open();
  }

  /** Runs a statement; `signal` gives it up. */
  async query(sql: string, signal?: AbortSignal): Promise<Result> {
    try {
      return await this.client.query(sql, null, { signal });
    } catch (error) {
      this.look_at(error);
      throw error;
    }
  }

  /** Goes on after a reconnect where it was, unless the statement says itself where it begins. */
  subscribe(sql: string): Subscription {
    return this.client.subscribe(sql, null, { resume: !describeSubscription(sql).positioned });
  }

  /** Asks for a user if that is what the error is about. */
  look_at(error: unknown): void {
    if (error instanceof PubSubSqlError && error.code === access_denied) this.on_denied(error.message);
  }

  /** A resource of the server as JSON, with the user's name and password if there are any. */
  async fetch_json(path: string): Promise<unknown> {
    const headers: Record<string, string> = {};
    if (this.credentials) {
      const { user, password } = this.credentials;
      const bytes = new TextEncoder().encode(`${user}:${password}`);
      headers["Authorization"] = `Basic ${btoa(String.fromCharCode(...bytes))}`;
    }
    const response = await fetch(path, { headers, cache: "no-store", credentials: "omit" });
    if (!response.ok) throw new Error(`The server answered ${path} with ${response.status} ${response.statusText}.`);
    return response.json();
  }
}
