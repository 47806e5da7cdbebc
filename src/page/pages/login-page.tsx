import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { texts } from '../live/app.js';
import { AskError, ask } from '../live/request.js';
import { connectAgain } from '../live/stream.js';

/** Asks for the token, which becomes a cookie that scripts cannot read. */
export function LoginPage() {
  const { login } = texts.value;
  const field = useRef<HTMLInputElement>(null);
  const failure = useSignal('');
  const submit = async (event: Event) => {
    event.preventDefault();
    failure.value = '';
    const token = field.current?.value ?? '';
    if (token === '') return;
    try {
      await ask('api/session', { method: 'POST', body: { token } });
      connectAgain();
    } catch (error) {
      const status = error instanceof AskError ? error.status : 0;
      failure.value = status === 0 ? login.failed : status === 429 ? login.tooMany : login.wrong;
      field.current?.select();
    }
  };
  return (
    <form class="login" onSubmit={submit} data-state-of-page="login">
      <h1>{login.title}</h1>
      <label>
        {login.label}
        <input ref={field} type="password" name="token" autocomplete="current-password" required={true} />
      </label>
      <button type="submit">{login.submit}</button>
      <p role="alert">{failure}</p>
    </form>
  );
}
