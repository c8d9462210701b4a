// redux-token-auth speaks to the server. It sends credentials as parameters and in the body of DELETE, and keeps whatever the
// headers of register, sign_in and validate_token say.
'use strict'

const { assert, follow, origin, run, server, sleep, visit } = require('./page.cjs')

const email = 'redux@example.com'
const password = 'seventeen green bottles by the canal'

let actions, axios, url
let state
async function open () {
  visit()
  url = await server()
  const { generateAuthActions, reduxTokenAuthReducer } = require('redux-token-auth')
  axios = require('axios')
  axios.default.defaults.headers.common = { Accept: 'application/json' }
  state = reduxTokenAuthReducer(undefined, { type: 'begin' })
  store = {
    dispatch: (action) => {
      if (typeof action === 'function') return action(store.dispatch)
      state = reduxTokenAuthReducer(state, action)
    }
  }
  actions = generateAuthActions({
    authUrl: url + '/auth', userAttributes: { id: 'id', email: 'email' }, userRegistrationAttributes: { confirmURL: 'confirm_success_url' }
  })
}
let store

const hello = async () => {
  const response = await axios.get(url + '/api/hello', { validateStatus: () => true })
  return response.status === 200 ? response.data : response.status
}
const refused = async (promise) => {
  try {
    await promise
  } catch (e) {
    return e.response.data.errors
  }
  throw new Error('accepted')
}

run({
  'REG-04 sign up': async () => {
    await open()
    assert.deepEqual(await refused(store.dispatch(actions.registerUser({ email, password: 'x', passwordConfirmation: 'x', confirmURL: 'http://evil.example/' }))), ["Redirect to 'http://evil.example/' not allowed."])
    await store.dispatch(actions.registerUser({ email, password, passwordConfirmation: password, confirmURL: origin + '/welcome' }))
    assert.equal(await follow(email, '/confirmation'), origin + '/welcome?account_confirmation_success=true')
    await open()
  },
  'SES-01 SES-14 sign in': async () => {
    assert.deepEqual(await refused(store.dispatch(actions.signInUser({ email, password: password + '!' }))), ['Invalid login credentials. Please try again.'])
    assert.equal(state.currentUser.isSignedIn, false)
    await store.dispatch(actions.signInUser({ email, password }))
    assert.equal(state.currentUser.isSignedIn, true)
    assert.equal(state.currentUser.attributes.email, email)
    assert.equal(await hello(), 'Hello, ' + email)
  },
  'VAL-09 validate by parameters, also within a batch': async () => {
    for (let i = 0; i < 4; i++) {
      await store.dispatch(actions.verifyToken({
        'access-token': localStorage.getItem('access-token'), client: localStorage.getItem('client'), uid: localStorage.getItem('uid')
      }))
      assert.equal(state.currentUser.isSignedIn, true)
      assert.ok(localStorage.getItem('access-token').length > 10, localStorage.getItem('access-token'))
      await sleep(i === 1 ? 1200 : 100)
    }
    assert.equal(await hello(), 'Hello, ' + email)
  },
  'SES-12 sign out with credentials in the body': async () => {
    axios.default.defaults.headers.common = { Accept: 'application/json' }
    await store.dispatch(actions.signOutUser())
    assert.equal(state.currentUser.isSignedIn, false)
    assert.equal(await hello(), 401)
  }
})
